// Owns the Python face of the GPU's avatar decoder.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <vector>

#include "kernels/common/bind_cuda.h"
#include "kernels/decode/bind_rig.h"
#include "kernels/decode/cuda.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

void bind_decode_cuda(py::module_ module) {
  using Floats = py::array_t<float, py::array::c_style>;
  py::class_<DecodeBatch>(module, "Batch")
      .def(py::init([](const py::object& rig, int sessions) {
             return DecodeBatch(*decode_plan_from(rig, Isa::baseline), sessions);
           }),
           py::arg("rig"), py::arg("sessions"))
      .def(
          "set_identity",
          [](DecodeBatch& batch, int session, const Floats& neutral, const Floats& pivot) {
            batch.set_identity(session, neutral.data(), pivot.data());
          },
          "host arrays; shapes are unchecked here")
      .def(
          "step",
          [](DecodeBatch& batch, std::uintptr_t expression, std::uintptr_t reset, std::uintptr_t vertices,
             std::uintptr_t normals, std::uintptr_t mean, std::uintptr_t rotation, std::uintptr_t scale,
             std::uintptr_t stream) {
            batch.step(device_pointer<const float>(expression), device_pointer<const std::uint8_t>(reset),
                       {.vertices = device_pointer<float>(vertices),
                        .normals = device_pointer<float>(normals),
                        .gaussian_mean = device_pointer<float>(mean),
                        .gaussian_rotation = device_pointer<float>(rotation),
                        .gaussian_scale = device_pointer<float>(scale)},
                       stream_handle(stream));
          },
          "addresses on the device; enqueues, does not wait; unchecked here")
      .def("replaced_frames", [](const DecodeBatch& batch) {
        py::list counts;
        std::vector<unsigned long long> host(batch.sessions());
        check_cuda(cudaMemcpy(host.data(), batch.replaced(), host.size() * sizeof host[0], cudaMemcpyDeviceToHost),
                   "cudaMemcpy");
        for (const auto count : host) counts.append(count);
        return counts;
      });
}
