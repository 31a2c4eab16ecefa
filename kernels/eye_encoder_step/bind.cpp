// Owns the Python face of the eye encoder's step; shapes are checked in Python.
#include "kernels/eye_encoder_step/eye_encoder_step.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/common/bind_isa.h"
#include "kernels/eye_encoder_step/bind_shape.h"
#include "kernels/linear/bind_weights.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

namespace {
using Picture = py::array_t<std::uint8_t, py::array::c_style>;
using Floats = py::array_t<float, py::array::c_style>;
}  // namespace

void bind_eye_encoder_step(py::module_ module) {
  py::class_<EyeEncoderStep>(module, "EyeEncoderStep")
      .def(py::init([](const py::object& config, const std::array<float, 7>& decode, const py::dict& weights, int height,
                       int width, const std::optional<std::string>& isa) {
             return EyeEncoderStep(eye_encoder_shape_from(config, decode), weight_map(weights), height, width,
                                   isa_from_name(isa));
           }),
           py::arg("config"), py::arg("decode"), py::arg("weights"), py::arg("height"), py::arg("width"), py::arg("isa"))
      .def(
          "step",
          [](EyeEncoderStep& encoder, const Picture& left, const Picture& right, Floats& features, Floats& state,
             Floats& mirrored) {
            float *to_features = features.mutable_data(), *to_state = state.mutable_data();
            float* to_mirrored = mirrored.mutable_data();
            py::gil_scoped_release release;
            encoder.step(left.data(), right.data(), to_features, to_state, to_mirrored);
          },
          py::arg("left").noconvert(), py::arg("right").noconvert(), py::arg("features").noconvert(),
          py::arg("state").noconvert(), py::arg("mirrored").noconvert());
}
