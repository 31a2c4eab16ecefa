// Histogram: counts durations in log-linear buckets, written by one thread and read by any.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace rtgraph {

// Values in ns from 0 to 2^40 (18 minutes; more is counted as that), within 1/32 of their size: as HdrHistogram's
// with two significant digits. record: the one writer's thread, a few ns, wait-free. The rest: any thread.
class Histogram {
 public:
  void record(int64_t ns) noexcept {
    const uint64_t v = ns < 0 ? 0 : ns > static_cast<int64_t>(kMax) ? kMax : static_cast<uint64_t>(ns);
    recent_ = &buckets_[index(v)];
    bump(*recent_);
    if (v > max_.load(std::memory_order_relaxed)) max_.store(v, std::memory_order_relaxed);
  }

  // Brings the bucket of the last value back into the cache, the next one being likely near it. The writer's thread.
  void fetch() const noexcept { __builtin_prefetch(recent_); }

  uint64_t count() const noexcept {
    uint64_t n = 0;
    for (const auto& b : buckets_) n += b.load(std::memory_order_relaxed);
    return n;
  }
  int64_t max() const noexcept { return static_cast<int64_t>(max_.load(std::memory_order_relaxed)); }

  // The value that `fraction` of all do not exceed (upper bound of its bucket, never above max): of the recorded ones
  // and of `zeros` more that were 0 and that nobody wrote down.
  int64_t quantile(double fraction, uint64_t zeros = 0) const noexcept {
    const uint64_t total = count() + zeros;
    if (total == 0) return 0;
    const auto rank = static_cast<uint64_t>(fraction * static_cast<double>(total - 1)) + 1;
    uint64_t seen = zeros;
    if (seen >= rank) return 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += buckets_[i].load(std::memory_order_relaxed);
      if (seen >= rank) {
        const auto top = static_cast<int64_t>(upper(i));
        return top < max() ? top : max();
      }
    }
    return max();
  }

  void clear() noexcept {
    for (auto& b : buckets_) b.store(0, std::memory_order_relaxed);
    max_.store(0, std::memory_order_relaxed);
  }

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr unsigned kTopBit = 40;
  static constexpr uint64_t kMax = uint64_t{1} << kTopBit;
  static constexpr std::size_t kBuckets = (kTopBit - kSubBits + 2) << kSubBits;

  static std::size_t index(uint64_t v) {
    if (v < (1u << kSubBits)) return v;
    const unsigned shift = static_cast<unsigned>(std::bit_width(v)) - 1 - kSubBits;
    return ((shift + 1) << kSubBits) + ((v >> shift) & ((1u << kSubBits) - 1));
  }
  static uint64_t upper(std::size_t i) {
    if (i < (1u << kSubBits)) return i;
    const unsigned shift = static_cast<unsigned>(i >> kSubBits) - 1;
    return (((i & ((1u << kSubBits) - 1)) + (1u << kSubBits) + 1) << shift) - 1;
  }
  // One writer: a plain read and write in place of a locked add.
  static void bump(std::atomic<uint64_t>& a) { a.store(a.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

  std::atomic<uint64_t> max_{0};  // on the page of the buckets of short durations
  std::atomic<uint64_t>* recent_ = &buckets_[0];
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
};

}  // namespace rtgraph
