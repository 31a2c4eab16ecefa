// Owns the Python face of RMSNorm; shapes are checked in Python.
#include "kernels/norm/norm.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/common/bind_isa.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

void bind_norm(py::module_ module) {
  using Array = py::array_t<float, py::array::c_style>;
  module.def(
      "rms_norm",
      [](const Array& x, const Array& gain, const std::optional<Array>& scale, const std::optional<Array>& shift,
         float epsilon, Array& y, const std::optional<std::string>& isa) {
        rms_norm(x.data(), static_cast<int>(x.shape(0)), static_cast<int>(x.shape(1)), gain.data(),
                 scale ? scale->data() : nullptr, shift ? shift->data() : nullptr, epsilon, y.mutable_data(),
                 isa_from_name(isa));
      },
      py::arg("x").noconvert(), py::arg("gain").noconvert(), py::arg("scale").noconvert(),
      py::arg("shift").noconvert(), py::arg("epsilon"), py::arg("y").noconvert(), py::arg("isa"));
}
