// Owns the Python face of the log-mel: a plan and a stream, fed with contiguous float32 arrays.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/common/bind_isa.h"
#include "kernels/mel/bind_config.h"
#include "kernels/mel/mel.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

namespace {

std::shared_ptr<MelPlan> make_plan(const py::object& config, const std::optional<std::string>& isa) {
  return std::make_shared<MelPlan>(mel_config_from(config), isa_from_name(isa));
}

using Audio = py::array_t<float, py::array::c_style>;

}  // namespace

void bind_mel(py::module_ module) {
  py::class_<MelPlan, std::shared_ptr<MelPlan>>(module, "Plan")
      .def(py::init(&make_plan), py::arg("config"), py::arg("isa") = py::none());
  py::class_<MelStream>(module, "Stream")
      .def(py::init([](std::shared_ptr<MelPlan> plan) { return MelStream(std::move(plan)); }), py::arg("plan"))
      .def("hops_for", &MelStream::hops_for, py::arg("samples"))
      .def(
          "push",
          [](MelStream& stream, const Audio& audio) {
            const auto samples = static_cast<std::size_t>(audio.size());
            Audio mel({stream.hops_for(samples), static_cast<std::size_t>(stream.plan().config().bands)});
            stream.push(audio.data(), samples, mel.mutable_data());
            return mel;
          },
          py::arg("audio").noconvert(), "audio [T] float32 -> [H, bands] float32")
      .def(
          "push_into",
          [](MelStream& stream, const Audio& audio, Audio& mel) {
            return stream.push(audio.data(), static_cast<std::size_t>(audio.size()), mel.mutable_data());
          },
          py::arg("audio").noconvert(), py::arg("mel").noconvert(), "mel must hold hops_for(T) rows; unchecked here")
      .def("reset", &MelStream::reset)
      .def_property_readonly("replaced_samples", &MelStream::replaced_samples)
      .def_property_readonly("level", &MelStream::level);
}
