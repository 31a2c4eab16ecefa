// Owns the plain data of one attention step, shared by the class that is called and its inner loops.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rtgraph::kernels {

inline constexpr int kSlotGroup = 64;  // the ring's slots are padded to whole groups of this many

// One layer's ring of keys and values; slot = position % window.
struct RingShape {
  int heads, head_size, window;
  bool half;  // keys and values as bfloat16 instead of float32

  int slots() const noexcept { return (window + kSlotGroup - 1) / kSlotGroup * kSlotGroup; }
  // Bytes of one stream's keys; its values take as many. keys [heads][head_size][slots], values [heads][slots][head_size]:
  // scores then run along slots and outputs along channels, both without sums across lanes.
  std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(heads) * head_size * slots() * (half ? 2 : 4);
  }
};

struct AttentionCall {
  RingShape shape;
  std::int64_t position;      // of this step, since the stream began
  const float* cosine;        // [head_size / 2], of the rotary angles at `position`
  const float* sine;
  const float* qkv;           // [3, heads, head_size], not rotated
  void* keys;                 // shape.bytes()
  void* values;
  float* out;                 // [heads, head_size]
  float* workspace;           // attention_workspace(shape) floats
};

constexpr std::size_t attention_workspace(const RingShape& shape) {
  return 2 * static_cast<std::size_t>(shape.head_size) + (shape.window + kSlotGroup - 1) / kSlotGroup * kSlotGroup;
}

}  // namespace rtgraph::kernels
