// Owns the Python face of the packed product and of RMSNorm; shapes are checked in Python.
#include "kernels/linear/linear.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/linear/bind_precision.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

namespace {

using Array = py::array_t<float, py::array::c_style>;

Activation activation_from_name(const std::string& name) {
  if (name == "none") return Activation::none;
  if (name == "silu") return Activation::silu;
  if (name == "swiglu") return Activation::swiglu;
  throw std::invalid_argument("activation: expected none, silu or swiglu, got '" + name + "'");
}

const float* pointer(const std::optional<Array>& array) { return array ? array->data() : nullptr; }

}  // namespace

void bind_linear(py::module_ module) {
  module.def("instruction_sets", &runnable_instruction_sets);
  py::class_<Linear>(module, "Linear")
      .def(py::init([](const Array& weight, const std::optional<Array>& bias, const std::string& precision,
                       const std::string& activation, const std::optional<std::string>& isa) {
             return Linear(weight.data(), pointer(bias), static_cast<int>(weight.shape(0)),
                           static_cast<int>(weight.shape(1)), precision_from_name(precision),
                           activation_from_name(activation), find_instruction_set(isa));
           }),
           py::arg("weight").noconvert(), py::arg("bias").noconvert(), py::arg("precision"), py::arg("activation"),
           py::arg("isa"))
      .def(
          "run",
          [](const Linear& linear, const Array& x, const std::optional<Array>& gain, const std::optional<Array>& scale,
             const std::optional<Array>& shift, float epsilon, const std::optional<Array>& residual, Array& y) {
            Linear::Arguments a;
            a.x = x.data();
            a.x_stride = a.modulation_stride = linear.inputs();
            a.rows = static_cast<int>(x.shape(0));
            a.gain = pointer(gain);
            a.scale = pointer(scale);
            a.shift = pointer(shift);
            a.epsilon = epsilon;
            a.residual = pointer(residual);
            a.y = y.mutable_data();
            a.y_stride = a.residual_stride = linear.outputs();
            AlignedBuffer<std::byte> workspace(linear.workspace_bytes(a.rows));
            linear(a, workspace.data());
          },
          py::arg("x").noconvert(), py::arg("gain").noconvert(), py::arg("scale").noconvert(),
          py::arg("shift").noconvert(), py::arg("epsilon"), py::arg("residual").noconvert(), py::arg("y").noconvert());
}
