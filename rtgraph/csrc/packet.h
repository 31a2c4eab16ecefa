// What travels with a value: its stamp, and the slot that carries both from one thread to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace rtgraph {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

// Times are ns. `timestamp_ns` is on the graph's clock; the others are in the scheduler's ticks.
struct Stamp {
  int64_t timestamp_ns = 0;  // capture
  int64_t seq = -1;          // the emission's number at its node
  int64_t arrival_ns = 0;    // when the last packet this one needed entered the graph
  int64_t slowest_ns = 0;    // the most time one node took for this packet, waiting for it included ...
  int32_t slowest_node = -1; // ... and which one
};

// A value is an object of the host language, raw bytes, or both views of one array.
struct Value {
  const std::byte* data = nullptr;
  void* object = nullptr;
};

// One place in a ring. Storage is the ring's; whoever holds the slot may write it.
struct Slot {
  Stamp stamp;
  int64_t queued_ns = 0;
  void* object = nullptr;      // an owned reference, in rings that carry objects
  std::byte* data = nullptr;   // [slot size] in rings that carry bytes
  int64_t* origins = nullptr;  // [sources] newest capture time from each source, kNever where it has no part
};

}  // namespace rtgraph
