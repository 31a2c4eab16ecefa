// SlotRing: the one lock-free edge between two threads; with one slot it is the latest-value slot.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "packet.h"

namespace rtgraph {

// A bounded single-producer single-consumer ring whose producer may also take back the oldest entry.
//
// There are capacity + 2 slots. Each side owns one slot outright, its hand; the other slots lie in the cells. A cell
// is one atomic word: position, full or free, and which slot lies there. To push, the producer fills its hand and
// exchanges it with the cell's slot; to take, the consumer exchanges its hand likewise. Slots only ever change
// hands whole, so nothing is copied twice, nothing is allocated, and a value taken stays valid until the next take.
// With drop_oldest the producer's exchange simply returns a slot that was never read. At capacity 1 this is the
// classic triple buffer.
//
// Producer thread: hand, push. Consumer thread: front, take. Nobody blocks; take retries only when the producer has
// dropped the very entry it was about to take. close, closed, size: any thread.
class SlotRing {
 public:
  enum class Push { done, dropped_oldest, full };

  SlotRing(uint32_t capacity, std::size_t slot_bytes, std::size_t sources)
      : capacity_(capacity),
        cells_(new Cell[capacity]),
        slots_(new Slot[capacity + 2]),
        origins_(new int64_t[(capacity + 2) * (sources ? sources : 1)]) {
    const std::size_t stride = (slot_bytes + 63) / 64 * 64;
    bytes_.reset(static_cast<std::byte*>(::operator new[]((capacity + 2) * (stride ? stride : 64), std::align_val_t{64})));
    std::memset(bytes_.get(), 0, (capacity + 2) * (stride ? stride : 64));
    for (uint32_t i = 0; i < capacity + 2; ++i) {
      slots_[i].data = bytes_.get() + i * stride;
      slots_[i].origins = origins_.get() + i * sources;
      for (std::size_t s = 0; s < sources; ++s) slots_[i].origins[s] = kNever;
    }
    for (uint32_t i = 0; i < capacity; ++i) cells_[i].word.store(pack(i, false, i), std::memory_order_relaxed);
    producer_.hand = capacity;
    consumer_.hand = capacity + 1;
  }
  SlotRing(const SlotRing&) = delete;
  SlotRing& operator=(const SlotRing&) = delete;

  // Producer: the slot to fill before push.
  Slot& hand() noexcept { return slots_[producer_.hand]; }

  // Producer: publishes the hand. When every cell is full: takes back the oldest entry if `drop_oldest`, else `full`
  // and nothing has changed. The new hand's old content is the producer's to release.
  Push push(bool drop_oldest) noexcept {
    const uint64_t at = producer_.position;
    auto& cell = cells_[at % capacity_].word;
    if (!drop_oldest && is_full(cell.load(std::memory_order_seq_cst))) return Push::full;
    const uint64_t old = cell.exchange(pack(at, true, producer_.hand), std::memory_order_seq_cst);
    producer_.hand = slot_of(old);
    producer_.position = at + 1;
    pushed_.store(at + 1, std::memory_order_seq_cst);
    return is_full(old) ? Push::dropped_oldest : Push::done;
  }

  // Producer: whether a push without drop_oldest would succeed.
  bool has_room() const noexcept {
    return !is_full(cells_[producer_.position % capacity_].word.load(std::memory_order_seq_cst));
  }

  // Consumer: whether there is nothing to take.
  bool empty() const noexcept { return pushed_.load(std::memory_order_seq_cst) <= consumer_.position; }

  // Consumer: the oldest entry, moved into the consumer's hand, or null. `taken()` stays valid until the next take.
  Slot* take() noexcept {
    uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    for (;;) {
      uint64_t at = consumer_.position;
      if (pushed <= at) return nullptr;
      if (pushed - at > capacity_) at = pushed - capacity_;  // the entries before were dropped
      auto& cell = cells_[at % capacity_].word;
      uint64_t seen = cell.load(std::memory_order_seq_cst);
      if (seen == pack(at, true, slot_of(seen)) &&
          cell.compare_exchange_strong(seen, pack(at, false, consumer_.hand), std::memory_order_seq_cst)) {
        consumer_.hand = slot_of(seen);
        consumer_.position = at + 1;
        taken_.store(at + 1, std::memory_order_relaxed);
        return &slots_[consumer_.hand];
      }
      // The producer has lapped this cell since `pushed` was read: the cell itself tells how far it has come.
      pushed = position_of(seen) + 1;
    }
  }
  Slot& taken() noexcept { return slots_[consumer_.hand]; }

  // Consumer, and only while the producer rests (the manual clock): the oldest entry in place.
  const Slot* peek() const noexcept {
    if (empty()) return nullptr;
    const uint64_t pushed = pushed_.load(std::memory_order_relaxed);
    uint64_t at = consumer_.position;
    if (pushed - at > capacity_) at = pushed - capacity_;
    return &slots_[slot_of(cells_[at % capacity_].word.load(std::memory_order_relaxed))];
  }

  void close() noexcept { closed_.store(true, std::memory_order_seq_cst); }
  bool closed() const noexcept { return closed_.load(std::memory_order_seq_cst); }
  // The consumer is gone for good: pushes are pointless.
  void abandon() noexcept { abandoned_.store(true, std::memory_order_seq_cst); }
  bool abandoned() const noexcept { return abandoned_.load(std::memory_order_relaxed); }

  uint32_t capacity() const noexcept { return capacity_; }
  // How many entries wait, from any thread; a snapshot.
  uint64_t size() const noexcept {
    const uint64_t taken = taken_.load(std::memory_order_relaxed);
    const uint64_t pushed = pushed_.load(std::memory_order_relaxed);
    return pushed <= taken ? 0 : pushed - taken > capacity_ ? capacity_ : pushed - taken;
  }
  // Every slot, for release of objects once both threads have ended.
  Slot* all_slots() noexcept { return slots_.get(); }

  // Both threads at rest: empty again, as new.
  void reset() noexcept {
    while (take() != nullptr) {
    }
    closed_.store(false);
    abandoned_.store(false);
  }

 private:
  // word = position (46 bits: years at any real rate) | full (1 bit) | slot (17 bits: capacity is at most 65536)
  static constexpr unsigned kSlotBits = 17;
  static constexpr uint64_t kPositionMask = (uint64_t{1} << 46) - 1;
  static uint64_t pack(uint64_t position, bool full, uint32_t slot) {
    return ((position & kPositionMask) << (kSlotBits + 1)) | (uint64_t{full} << kSlotBits) | slot;
  }
  static bool is_full(uint64_t word) { return ((word >> kSlotBits) & 1) != 0; }
  static uint32_t slot_of(uint64_t word) { return static_cast<uint32_t>(word & ((1u << kSlotBits) - 1)); }
  static uint64_t position_of(uint64_t word) { return word >> (kSlotBits + 1); }

  struct AlignedDelete {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  struct alignas(64) Cell {
    std::atomic<uint64_t> word;
  };
  struct alignas(64) Side {
    uint64_t position = 0;
    uint32_t hand = 0;
  };

  const uint32_t capacity_;
  std::unique_ptr<Cell[]> cells_;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<int64_t[]> origins_;
  std::unique_ptr<std::byte[], AlignedDelete> bytes_;
  Side producer_;
  Side consumer_;
  alignas(64) std::atomic<uint64_t> pushed_{0};
  alignas(64) std::atomic<uint64_t> taken_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> abandoned_{false};
};

}  // namespace rtgraph
