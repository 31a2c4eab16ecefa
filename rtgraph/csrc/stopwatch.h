// Stopwatch: the monotonic clock at a third of its price, for a thread that reads it several times a packet.
#pragma once

#include <cstdint>

#include "clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace rtgraph {

// How the processor's time stamp counter relates to CLOCK_MONOTONIC: measured once, over at least 10 ms.
class CounterRate {
 public:
  // ns per tick; 0 where the counter does not tick evenly or is not to be had, and the system's clock is read instead.
  static double ns_per_tick() {
    static const double rate = measure();
    return rate;
  }

 private:
  static double measure() {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    constexpr unsigned kInvariant = 1u << 8;
    if (__get_cpuid(0x80000007, &a, &b, &c, &d) == 0 || (d & kInvariant) == 0) return 0;
    const int64_t start_ns = monotonic_ns();
    const uint64_t start = __rdtsc();
    int64_t now = start_ns;
    while (now - start_ns < 10'000'000) {
      const timespec nap{0, 10'000'000 - (now - start_ns)};
      nanosleep(&nap, nullptr);
      now = monotonic_ns();
    }
    return static_cast<double>(now - start_ns) / static_cast<double>(__rdtsc() - start);
#else
    return 0;
#endif
  }
};

// One thread's. Between two calls of `sync` it counts ticks, so its error is that of the rate (parts per million) over
// that time; `sync` whenever the thread has slept, and now and then.
class Stopwatch {
 public:
  Stopwatch() : rate_(static_cast<uint64_t>(CounterRate::ns_per_tick() * kOne)) { sync(); }

  int64_t sync() noexcept {
    anchor_ns_ = monotonic_ns();
#if defined(__x86_64__)
    anchor_ = __rdtsc();
#endif
    return anchor_ns_;
  }

  int64_t now() const noexcept {
#if defined(__x86_64__)
    if (rate_ > 0) return anchor_ns_ + static_cast<int64_t>((__rdtsc() - anchor_) * rate_ >> kBits);
#endif
    return monotonic_ns();
  }

 private:
  static constexpr unsigned kBits = 24;  // of the fraction: the product fits 64 bits for a quarter of an hour
  static constexpr double kOne = 1 << kBits;

  uint64_t rate_;  // ns per tick, fixed point; 0: unknown
  int64_t anchor_ns_ = 0;
  uint64_t anchor_ = 0;
};

}  // namespace rtgraph
