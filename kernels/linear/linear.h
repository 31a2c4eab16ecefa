// Owns Linear: the product of a few rows with packed weights, and all that a network wraps around it, as one call.
//
//   y = activation(norm(x) W^T + bias) + residual
//   norm(x) = RMSNorm(x) * gain * (1 + scale) + shift      (each part optional)
//   swiglu: W's first half are gates, its second half ups: y = silu(gates) * ups, half as wide as W
//
// Weights are packed once, when the object is built, as float32, bfloat16 (inputs are rounded to it too) or int8 (one
// scale a column; inputs are quantised a row at a time). Sums are float32, for int8 exact integers. x must be finite.
#pragma once

#include <cstddef>

#include "kernels/common/aligned.h"
#include "kernels/linear/call.h"
#include "kernels/linear/instruction_set.h"

namespace rtgraph::kernels {

class Linear {
 public:
  // What goes in and around one product; only x and y must be set. Strides count floats from row to row.
  struct Arguments {
    const float* x = nullptr;  // [rows, inputs]
    std::ptrdiff_t x_stride = 0;
    int rows = 1;
    const float* gain = nullptr;   // [inputs]
    const float* scale = nullptr;  // [rows, inputs]
    const float* shift = nullptr;  // [rows, inputs]
    std::ptrdiff_t modulation_stride = 0;
    float epsilon = 1e-5f;
    const float* residual = nullptr;  // [rows, outputs]; may be y
    std::ptrdiff_t residual_stride = 0;
    float* y = nullptr;  // [rows, outputs]
    std::ptrdiff_t y_stride = 0;
  };

  Linear() = default;
  // weight [columns, inputs] row-major, bias [columns] or null. Copies both. Throws std::bad_alloc.
  Linear(const float* weight, const float* bias, int columns, int inputs, Precision precision,
         Activation activation = Activation::none, InstructionSet set = best_instruction_set());

  int inputs() const noexcept { return weight_.inputs; }
  int outputs() const noexcept { return weight_.outputs; }
  // Bytes that a call with this many rows needs, to be shared by products that run one after another.
  std::size_t workspace_bytes(int rows) const noexcept;
  // Any thread, with a workspace of its own (64-byte aligned); never blocks, allocates or throws.
  void operator()(const Arguments& arguments, std::byte* workspace) const noexcept;
  // Bytes of packed weights.
  std::size_t bytes() const noexcept { return data_.size(); }
  // Reads the packed weights and does nothing else: what bandwidth alone costs. Returns a checksum.
  std::int32_t read() const noexcept { return read_(data_.data(), data_.size()); }

 private:
  void pack(const float* weight, const float* bias, int columns);

  AlignedBuffer<std::byte> data_;
  AlignedBuffer<float> bias_, scale_;
  AlignedBuffer<std::int32_t> column_sums_;
  PackedWeight weight_{};
  void (*run_)(const LinearCall&) noexcept = nullptr;
  std::int32_t (*read_)(const void*, std::size_t) noexcept = nullptr;
};

}  // namespace rtgraph::kernels
