// Owns the plain data that a product hands to its inner loops (see linear.h for the meaning of each).
#pragma once

#include <cstddef>
#include <cstdint>

namespace rtgraph::kernels {

enum class Precision { float32, bfloat16, int8 };
enum class Activation { none, silu, swiglu };

inline constexpr int kPanel = 64;  // output columns that are packed together

// Group of inputs that lie next to each other for one output column: what one lane of a dot product takes.
constexpr int input_group(Precision precision) {
  return precision == Precision::int8 ? 4 : precision == Precision::bfloat16 ? 2 : 1;
}

// Weights as [panels][inputs / group][kPanel][group], inputs padded to whole groups, columns to whole panels, with zeros.
// For swiglu a panel holds 32 gates, then their 32 ups.
struct PackedWeight {
  const void* data;
  std::size_t panel_bytes;
  const float* bias;                // [panels * kPanel]
  const float* scale;               // [panels * kPanel], int8 only: weight = scale * integer
  const std::int32_t* column_sums;  // [panels * kPanel], int8 only: takes out the inputs' offset of 128
  int inputs, padded_inputs;
  int outputs;  // after the activation
  int panels;
  Precision precision;
  Activation activation;
};

struct LinearCall {
  const PackedWeight* weight;
  const float* x;
  std::ptrdiff_t x_stride;
  int rows;
  const float* gain;   // [inputs], null: no norm
  const float* scale;  // null: no modulation
  const float* shift;
  std::ptrdiff_t modulation_stride;
  float epsilon;
  const float* residual;  // null: none
  std::ptrdiff_t residual_stride;
  float* y;
  std::ptrdiff_t y_stride;
  void* workspace;
};

}  // namespace rtgraph::kernels
