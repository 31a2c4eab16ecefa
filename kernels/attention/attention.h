// Owns windowed causal attention for a new step: rotary embedding, cache write and attention in one call.
//
// A stream at position p sees positions p - window + 1 .. p. Queries and keys are rotated at their absolute positions
// (channel d with d + head_size / 2), by angles computed in float64, so positions may run for as long as int64 holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/attention/call.h"
#include "kernels/common/aligned.h"
#include "kernels/common/isa.h"

namespace rtgraph::kernels {

// The angles of rotary position embedding (Su et al. 2021).
class Rotary {
 public:
  Rotary(int head_size, double base);
  // cosine, sine: [head_size / 2].
  void at(std::int64_t position, float* cosine, float* sine) const noexcept;

 private:
  std::vector<double> frequency_;
};

using AttentionStep = void (*)(const AttentionCall&) noexcept;

// The inner loop for an instruction set: one stream, one layer, one step. head_size must be a multiple of 16.
AttentionStep attention_step(Isa isa) noexcept;

// Streams of one layer, each with its ring and its position. One thread at a time.
class RingAttention {
 public:
  // Throws std::bad_alloc.
  RingAttention(int streams, RingShape shape, double rotary_base, Isa isa = best_isa());

  int streams() const noexcept { return streams_; }
  const RingShape& shape() const noexcept { return shape_; }
  std::int64_t* positions() noexcept { return positions_.data(); }  // [streams]: the next step's

  // One step of every stream. qkv [streams, 3, heads, head_size] finite; out [streams, heads, head_size];
  // reset [streams] or null: where not zero the stream begins anew with this step.
  // Strides count floats from stream to stream. Never blocks, allocates or throws.
  void step(const float* qkv, std::ptrdiff_t qkv_stride, float* out, std::ptrdiff_t out_stride,
            const std::uint8_t* reset) noexcept;

 private:
  int streams_;
  RingShape shape_;
  Rotary rotary_;
  AttentionStep step_;
  AlignedBuffer<std::int64_t> positions_;
  AlignedBuffer<std::byte> keys_, values_;
  AlignedBuffer<float> cosine_, sine_, workspace_;
};

}  // namespace rtgraph::kernels
