// Owns the streams of windowed attention and the rotary angles.
#include "kernels/attention/attention.h"

#include <cmath>

namespace rtgraph::kernels {

namespace baseline { void attention(const AttentionCall&) noexcept; }
namespace avx2 { void attention(const AttentionCall&) noexcept; }
namespace avx512 { void attention(const AttentionCall&) noexcept; }

AttentionStep attention_step(Isa isa) noexcept {
  switch (isa) {
    case Isa::avx2: return avx2::attention;
    case Isa::avx512: return avx512::attention;
    case Isa::baseline: break;
  }
  return baseline::attention;
}

Rotary::Rotary(int head_size, double base) {
  for (int d = 0; d < head_size; d += 2) frequency_.push_back(std::pow(base, -static_cast<double>(d) / head_size));
}

void Rotary::at(std::int64_t position, float* cosine, float* sine) const noexcept {
  for (std::size_t d = 0; d < frequency_.size(); ++d) {
    const double angle = static_cast<double>(position) * frequency_[d];
    cosine[d] = static_cast<float>(std::cos(angle));
    sine[d] = static_cast<float>(std::sin(angle));
  }
}

RingAttention::RingAttention(int streams, RingShape shape, double rotary_base, Isa isa)
    : streams_(streams),
      shape_(shape),
      rotary_(shape.head_size, rotary_base),
      step_(attention_step(isa)),
      positions_(streams),
      keys_(streams * shape.bytes()),
      values_(streams * shape.bytes()),
      cosine_(shape.head_size / 2),
      sine_(shape.head_size / 2),
      workspace_(attention_workspace(shape)) {}

void RingAttention::step(const float* qkv, std::ptrdiff_t qkv_stride, float* out, std::ptrdiff_t out_stride,
                         const std::uint8_t* reset) noexcept {
  for (int s = 0; s < streams_; ++s) {
    if (reset && reset[s]) positions_[s] = 0;  // slots written before are hidden until they are written again
    rotary_.at(positions_[s], cosine_.data(), sine_.data());
    step_(AttentionCall{shape_, positions_[s], cosine_.data(), sine_.data(), qkv + s * qkv_stride,
                        keys_.data() + s * shape_.bytes(), values_.data() + s * shape_.bytes(), out + s * out_stride,
                        workspace_.data()});
    ++positions_[s];
  }
}

}  // namespace rtgraph::kernels
