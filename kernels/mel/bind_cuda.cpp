// Owns the Python face of the GPU's log-mel.
#include <pybind11/pybind11.h>

#include "kernels/common/bind_cuda.h"
#include "kernels/mel/bind_config.h"
#include "kernels/mel/cuda.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

void bind_mel_cuda(py::module_ module) {
  py::class_<MelBatch>(module, "Batch")
      .def(py::init([](const py::object& config, int streams) { return MelBatch(mel_config_from(config), streams); }),
           py::arg("config"), py::arg("streams"))
      .def("rows_for", &MelBatch::rows_for, py::arg("samples"))
      .def(
          "push",
          [](MelBatch& batch, std::uintptr_t audio, int samples, std::uintptr_t reset, std::uintptr_t mel,
             std::uintptr_t hops, std::uintptr_t stream) {
            batch.push(device_pointer<const float>(audio), samples, device_pointer<const std::uint8_t>(reset),
                       device_pointer<float>(mel), device_pointer<std::int32_t>(hops), stream_handle(stream));
          },
          "addresses on the device; enqueues, does not wait; unchecked here")
      .def("replaced_samples", [](const MelBatch& batch) {
        py::list counts;
        std::vector<unsigned long long> host(batch.streams());
        check_cuda(cudaMemcpy(host.data(), batch.replaced(), host.size() * sizeof host[0], cudaMemcpyDeviceToHost),
                   "cudaMemcpy");
        for (const auto count : host) counts.append(count);
        return counts;
      });
}
