// Owns the packing of weights and the choice of inner loops.
#include "kernels/linear/linear.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rtgraph::kernels {

#define RTGRAPH_LINEAR(isa)                                      \
  namespace isa {                                                \
  void linear(const LinearCall&) noexcept;                       \
  std::int32_t read_all(const void*, std::size_t) noexcept;      \
  }
RTGRAPH_LINEAR(baseline)
RTGRAPH_LINEAR(avx2)
RTGRAPH_LINEAR(avx512)
RTGRAPH_LINEAR(avx512_vnni)
RTGRAPH_LINEAR(avx512_bf16)

namespace {

struct InnerLoops {
  void (*linear)(const LinearCall&) noexcept;
  std::int32_t (*read_all)(const void*, std::size_t) noexcept;
};

InnerLoops inner_loops(InstructionSet set) {
  switch (set) {
    case InstructionSet::avx2: return {avx2::linear, avx2::read_all};
    case InstructionSet::avx512: return {avx512::linear, avx512::read_all};
    case InstructionSet::avx512_vnni: return {avx512_vnni::linear, avx512_vnni::read_all};
    case InstructionSet::avx512_bf16: return {avx512_bf16::linear, avx512_bf16::read_all};
    case InstructionSet::baseline: break;
  }
  return {baseline::linear, baseline::read_all};
}

std::uint16_t to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace

Linear::Linear(const float* weight, const float* bias, int columns, int inputs, Precision precision,
               Activation activation, InstructionSet set)
    : run_(inner_loops(set).linear), read_(inner_loops(set).read_all) {
  const int group = input_group(precision);
  weight_.inputs = inputs;
  weight_.padded_inputs = round_up(inputs, group);
  weight_.outputs = activation == Activation::swiglu ? columns / 2 : columns;
  weight_.panels = round_up(weight_.outputs, activation == Activation::swiglu ? kPanel / 2 : kPanel) /
                   (activation == Activation::swiglu ? kPanel / 2 : kPanel);
  weight_.panel_bytes = static_cast<std::size_t>(weight_.padded_inputs / group) * kPanel * 4;
  weight_.precision = precision;
  weight_.activation = activation;

  const std::size_t padded_columns = static_cast<std::size_t>(weight_.panels) * kPanel;
  data_ = AlignedBuffer<std::byte>(weight_.panels * weight_.panel_bytes);
  bias_ = AlignedBuffer<float>(padded_columns);
  scale_ = AlignedBuffer<float>(precision == Precision::int8 ? padded_columns : 0);
  column_sums_ = AlignedBuffer<std::int32_t>(precision == Precision::int8 ? padded_columns : 0);
  weight_.data = data_.data();
  weight_.bias = bias_.data();
  weight_.scale = scale_.data();
  weight_.column_sums = column_sums_.data();
  pack(weight, bias, columns);
}

void Linear::pack(const float* weight, const float* bias, int columns) {
  const int group = input_group(weight_.precision), inputs = weight_.inputs;
  const bool gated = weight_.activation == Activation::swiglu;
  for (int padded = 0; padded < weight_.panels * kPanel; ++padded) {
    const int panel = padded / kPanel, c = padded % kPanel, half = kPanel / 2;
    const int output = gated ? panel * half + c % half : padded;
    if (output >= weight_.outputs) continue;  // stays zero
    const int column = gated && c >= half ? columns / 2 + output : output;
    const float* row = weight + static_cast<std::size_t>(column) * inputs;
    if (bias) bias_[padded] = bias[column];

    float limit = 0.0f;
    for (int i = 0; i < inputs; ++i) limit = std::max(limit, std::abs(row[i]));
    const float scale = limit > 0.0f ? limit / 127.0f : 1.0f;
    std::byte* base = data_.data() + panel * weight_.panel_bytes;
    for (int i = 0; i < inputs; ++i) {
      const std::size_t at = (static_cast<std::size_t>(i / group) * kPanel + c) * group + i % group;
      switch (weight_.precision) {
        case Precision::float32: reinterpret_cast<float*>(base)[at] = row[i]; break;
        case Precision::bfloat16: reinterpret_cast<std::uint16_t*>(base)[at] = to_bfloat16(row[i]); break;
        case Precision::int8: {
          const auto q = static_cast<std::int8_t>(std::lrint(row[i] / scale));
          reinterpret_cast<std::int8_t*>(base)[at] = q;
          column_sums_[padded] += q;
          scale_[padded] = scale;
          break;
        }
      }
    }
  }
}

std::size_t Linear::workspace_bytes(int rows) const noexcept {
  const auto stride = static_cast<std::size_t>(round_up(weight_.padded_inputs, 64));
  return (stride + round_up(rows, 16) + rows * stride) * sizeof(float);  // one normed row, scales, converted rows
}

void Linear::operator()(const Arguments& a, std::byte* workspace) const noexcept {
  run_(LinearCall{&weight_, a.x, a.x_stride, a.rows, a.gain, a.scale, a.shift, a.modulation_stride, a.epsilon,
                  a.residual, a.residual_stride, a.y, a.y_stride, workspace});
}

}  // namespace rtgraph::kernels
