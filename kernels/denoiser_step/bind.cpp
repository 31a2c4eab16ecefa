// Owns the Python face of the denoiser's step; shapes are checked in Python.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/denoiser_step/bind_shape.h"
#include "kernels/denoiser_step/denoiser_step.h"
#include "kernels/linear/bind_precision.h"
#include "kernels/linear/bind_weights.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

namespace {

using Array = py::array_t<float, py::array::c_style>;

const float* pointer(const std::optional<Array>& array) { return array ? array->data() : nullptr; }

}  // namespace

void bind_denoiser_step(py::module_ module) {
  py::class_<DenoiserStep, std::shared_ptr<DenoiserStep>>(module, "DenoiserStep")
      .def(py::init([](const py::object& config, const py::dict& weights, const std::string& precision, int streams,
                       const std::optional<std::string>& isa) {
             return std::make_shared<DenoiserStep>(
                 std::make_shared<const DenoiserWeights>(denoiser_shape_from(config), weight_map(weights),
                                                         precision_from_name(precision), find_instruction_set(isa)),
                 streams);
           }),
           py::arg("config"), py::arg("weights"), py::arg("precision"), py::arg("streams"), py::arg("isa"))
      .def(
          "step",
          [](DenoiserStep& denoiser, const Array& noise, const Array& hidden, const std::optional<Array>& previous,
             const std::optional<Array>& emotion, Array& latent, Array& frame, Array& confidence) {
            const DenoiserInputs inputs{.noise = noise.data(),
                                        .hidden = hidden.data(),
                                        .previous = pointer(previous),
                                        .emotion = pointer(emotion)};
            const DenoiserOutputs outputs{latent.mutable_data(), frame.mutable_data(), confidence.mutable_data()};
            py::gil_scoped_release release;
            denoiser.step(inputs, outputs);
          },
          py::arg("noise").noconvert(), py::arg("hidden").noconvert(), py::arg("previous").noconvert(),
          py::arg("emotion").noconvert(), py::arg("latent").noconvert(), py::arg("frame").noconvert(),
          py::arg("confidence").noconvert())
      .def("reset", &DenoiserStep::reset, py::arg("stream"))
      .def("read_weights", [](const DenoiserStep& denoiser) { return denoiser.weights().read(); })
      .def_property_readonly("replaced_inputs", &DenoiserStep::replaced_inputs)
      .def_property_readonly("weight_bytes",
                             [](const DenoiserStep& denoiser) { return denoiser.weights().bytes(); });
}
