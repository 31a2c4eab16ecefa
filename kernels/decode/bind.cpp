// Owns the Python face of the avatar decoder: a plan from a Rig, and a decoder that writes into given arrays.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/common/bind_isa.h"
#include "kernels/decode/bind_rig.h"
#include "kernels/decode/decode.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

namespace {

using Floats = py::array_t<float, py::array::c_style>;

float* output(std::optional<Floats>& array) { return array ? array->mutable_data() : nullptr; }

}  // namespace

void bind_decode(py::module_ module) {
  py::class_<DecodePlan, std::shared_ptr<DecodePlan>>(module, "Plan")
      .def(py::init([](const py::object& rig, const std::optional<std::string>& isa) {
             return decode_plan_from(rig, isa_from_name(isa));
           }), py::arg("rig"), py::arg("isa") = py::none())
      .def_property_readonly("delta_bytes", &DecodePlan::delta_bytes);
  py::class_<Decoder>(module, "Decoder")
      .def(py::init([](std::shared_ptr<DecodePlan> plan) { return Decoder(std::move(plan)); }), py::arg("plan"))
      .def(
          "set_identity",
          [](Decoder& decoder, const Floats& neutral, const Floats& pivot) {
            decoder.set_identity(neutral.data(), pivot.data());
          },
          py::arg("neutral").noconvert(), py::arg("joint_pivot").noconvert(), "shapes are unchecked here")
      .def(
          "step",
          [](Decoder& decoder, const Floats& expression, std::optional<Floats> vertices, std::optional<Floats> normals,
             std::optional<Floats> mean, std::optional<Floats> rotation, std::optional<Floats> scale) {
            decoder.step(expression.data(), {.vertices = output(vertices),
                                             .normals = output(normals),
                                             .gaussian_mean = output(mean),
                                             .gaussian_rotation = output(rotation),
                                             .gaussian_scale = output(scale)});
          },
          "expression [E]; the outputs, or none for those not wanted; shapes are unchecked here")
      .def("reset", &Decoder::reset)
      .def_property_readonly("replaced_frames", &Decoder::replaced_frames);
  module.def(
      "blend_identity",
      [](const Floats& mean, const Floats& basis, const Floats& code, Floats& out) {
        blend_identity(mean.data(), basis.data(), code.data(), static_cast<int>(code.size()),
                       static_cast<std::size_t>(mean.size()), out.mutable_data());
      },
      py::arg("mean"), py::arg("basis"), py::arg("code"), py::arg("out").noconvert(), "shapes are unchecked here");
}
