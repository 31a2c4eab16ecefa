// Owns the Python face of the encoder's step; shapes are checked in Python.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/encoder_step/bind_shape.h"
#include "kernels/encoder_step/encoder_step.h"
#include "kernels/linear/bind_precision.h"
#include "kernels/linear/bind_weights.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

namespace {

using Array = py::array_t<float, py::array::c_style>;
using Mask = py::array_t<bool, py::array::c_style>;

const float* pointer(const std::optional<Array>& array) { return array ? array->data() : nullptr; }
const std::uint8_t* pointer(const std::optional<Mask>& mask) {
  return mask ? reinterpret_cast<const std::uint8_t*>(mask->data()) : nullptr;
}

}  // namespace

void bind_encoder_step(py::module_ module) {
  py::class_<EncoderStep, std::shared_ptr<EncoderStep>>(module, "EncoderStep")
      .def(py::init([](const py::object& config, const py::dict& weights, const std::string& precision, int streams,
                       const std::optional<std::string>& isa) {
             return std::make_shared<EncoderStep>(
                 std::make_shared<const EncoderWeights>(encoder_shape_from(config), weight_map(weights),
                                                        precision_from_name(precision), find_instruction_set(isa)),
                 streams);
           }),
           py::arg("config"), py::arg("weights"), py::arg("precision"), py::arg("streams"), py::arg("isa"))
      .def(
          "step",
          [](EncoderStep& encoder, const Array& mel, const std::optional<Array>& previous,
             const std::optional<Array>& eyes, const std::optional<Mask>& eyes_present,
             const std::optional<Array>& emotion, const std::optional<Array>& style, const std::optional<Mask>& reset,
             Array& hidden) {
            const EncoderInputs inputs{.mel = mel.data(),
                                       .previous = pointer(previous),
                                       .eyes = pointer(eyes),
                                       .eyes_present = pointer(eyes_present),
                                       .emotion = pointer(emotion),
                                       .style = pointer(style),
                                       .reset = pointer(reset)};
            float* out = hidden.mutable_data();
            py::gil_scoped_release release;
            encoder.step(inputs, out);
          },
          py::arg("mel").noconvert(), py::arg("previous").noconvert(), py::arg("eyes").noconvert(),
          py::arg("eyes_present").noconvert(), py::arg("emotion").noconvert(), py::arg("style").noconvert(),
          py::arg("reset").noconvert(), py::arg("hidden").noconvert())
      .def("reset", &EncoderStep::reset, py::arg("stream"))
      .def("read_weights", [](const EncoderStep& encoder) { return encoder.weights().read(); })
      .def_property_readonly("positions",
                             [](py::object self) {
                               auto& encoder = self.cast<EncoderStep&>();
                               return py::array_t<std::int64_t>({encoder.streams()}, encoder.positions(), self);
                             })
      .def_property_readonly("replaced_inputs", &EncoderStep::replaced_inputs)
      .def_property_readonly("weight_bytes", [](const EncoderStep& encoder) { return encoder.weights().bytes(); });
}
