// Owns the Python face of windowed attention; shapes are checked in Python.
#include "kernels/attention/attention.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/linear/instruction_set.h"

namespace py = pybind11;
using namespace rtgraph::kernels;

void bind_attention(py::module_ module) {
  using Array = py::array_t<float, py::array::c_style>;
  using Mask = py::array_t<bool, py::array::c_style>;
  py::class_<RingAttention>(module, "RingAttention")
      .def(py::init([](int streams, int heads, int head_size, int window, double rotary_base, bool half,
                       const std::optional<std::string>& isa) {
             return RingAttention(streams, RingShape{heads, head_size, window, half}, rotary_base,
                                  base_isa(find_instruction_set(isa)));
           }),
           py::arg("streams"), py::arg("heads"), py::arg("head_size"), py::arg("window"), py::arg("rotary_base"),
           py::arg("half"), py::arg("isa"))
      .def_property_readonly(
          "positions",
          [](py::object self) {
            auto& attention = self.cast<RingAttention&>();
            return py::array_t<std::int64_t>({attention.streams()}, attention.positions(), self);
          })
      .def(
          "steps",
          [](RingAttention& attention, const Array& qkv, const std::optional<Mask>& reset, Array& out) {
            const auto frames = static_cast<int>(qkv.shape(1));
            const std::ptrdiff_t n = attention.shape().heads * attention.shape().head_size;
            const auto* mask = reset ? reinterpret_cast<const std::uint8_t*>(reset->data()) : nullptr;
            const float* in = qkv.data();
            float* y = out.mutable_data();
            for (int t = 0; t < frames; ++t)
              attention.step(in + t * 3 * n, frames * 3 * n, y + t * n, frames * n, t == 0 ? mask : nullptr);
          },
          py::arg("qkv").noconvert(), py::arg("reset").noconvert(), py::arg("out").noconvert(),
          "qkv [streams, T, 3, heads, head_size] -> out [streams, T, heads, head_size]");
}
