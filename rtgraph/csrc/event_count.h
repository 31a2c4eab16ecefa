// EventCount: lets one thread sleep until another has made progress, at no cost while nobody sleeps.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

namespace rtgraph {

// One waiter, any number of notifiers.
//
// The waiter announces itself, looks once more for work, and only then sleeps; a notifier publishes its work and
// then looks for a waiter. Both orders are sequentially consistent, so one of the two always sees the other:
// publications and the checks in `ready` must be seq_cst operations too (SlotRing's are).
class EventCount {
 public:
  // Any thread. Never blocks; one load unless the waiter sleeps, then one futex wake.
  void notify() noexcept {
    if (waiting_.load(std::memory_order_seq_cst) == 0) return;
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&epoch_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  // The waiter's thread only. Sleeps until notified or until `deadline_ns` (CLOCK_MONOTONIC; negative: no limit),
  // unless `ready()` holds. May wake early: the caller looks again.
  template <class Ready>
  void wait(int64_t deadline_ns, Ready&& ready) noexcept {
    waiting_.store(1, std::memory_order_seq_cst);
    const uint32_t key = epoch_.load(std::memory_order_seq_cst);
    if (!ready()) {
      timespec at{deadline_ns / 1'000'000'000, deadline_ns % 1'000'000'000};
      syscall(SYS_futex, reinterpret_cast<uint32_t*>(&epoch_), FUTEX_WAIT_BITSET_PRIVATE, key,
              deadline_ns < 0 ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
    }
    waiting_.store(0, std::memory_order_seq_cst);
  }

 private:
  alignas(64) std::atomic<uint32_t> epoch_{0};
  std::atomic<uint32_t> waiting_{0};
};

}  // namespace rtgraph
