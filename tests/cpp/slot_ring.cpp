// SlotRing: order, policies, and two threads at full speed.
#include "slot_ring.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <thread>

using rtgraph::Slot;
using rtgraph::SlotRing;

namespace {

constexpr std::size_t kWords = 8;

// Every word of a slot says which packet it belongs to, so that a torn or reused slot shows.
void fill(Slot& slot, int64_t n) {
  auto* words = reinterpret_cast<int64_t*>(slot.data);
  for (std::size_t i = 0; i < kWords; ++i) words[i] = n * 31 + static_cast<int64_t>(i);
  slot.stamp.seq = n;
  slot.origins[0] = n;
}

bool intact(const Slot& slot) {
  const auto* words = reinterpret_cast<const int64_t*>(slot.data);
  for (std::size_t i = 0; i < kWords; ++i)
    if (words[i] != slot.stamp.seq * 31 + static_cast<int64_t>(i)) return false;
  return slot.origins[0] == slot.stamp.seq;
}

SlotRing ring_of(uint32_t capacity) { return SlotRing(capacity, kWords * sizeof(int64_t), 1); }

}  // namespace

TEST_CASE("a ring gives back what was pushed, in order, and says when it is full") {
  for (const uint32_t capacity : {1u, 2u, 3u, 7u}) {
    auto ring = ring_of(capacity);
    int64_t in = 0, out = 0;
    std::mt19937 random(capacity);
    for (int step = 0; step < 10'000; ++step) {
      if (random() % 2) {
        fill(ring.hand(), in);
        const bool room = in - out < capacity;
        CHECK(ring.has_room() == room);
        CHECK(ring.push(false) == (room ? SlotRing::Push::done : SlotRing::Push::full));
        in += room;
      } else {
        Slot* slot = ring.take();
        REQUIRE((slot != nullptr) == (out < in));
        if (slot) {
          CHECK(slot->stamp.seq == out++);
          CHECK(intact(*slot));
        }
      }
      CHECK(ring.size() == static_cast<uint64_t>(in - out));
      CHECK(ring.empty() == (in == out));
    }
  }
}

TEST_CASE("drop_oldest keeps the newest entries, in order") {
  auto ring = ring_of(4);
  int dropped = 0;
  for (int64_t n = 0; n < 11; ++n) {
    fill(ring.hand(), n);
    dropped += ring.push(true) == SlotRing::Push::dropped_oldest;
  }
  CHECK(dropped == 7);
  for (int64_t n = 7; n < 11; ++n) {
    Slot* slot = ring.take();
    REQUIRE(slot != nullptr);
    CHECK(slot->stamp.seq == n);
    CHECK(intact(*slot));
  }
  CHECK(ring.take() == nullptr);
}

TEST_CASE("a taken slot stays untouched until the next take, however much is pushed") {
  auto ring = ring_of(1);
  fill(ring.hand(), 1);
  ring.push(true);
  const Slot* held = ring.take();
  for (int64_t n = 2; n < 100; ++n) {
    fill(ring.hand(), n);
    ring.push(true);
    CHECK(held->stamp.seq == 1);
    CHECK(intact(*held));
  }
  CHECK(ring.take()->stamp.seq == 99);
}

TEST_CASE("the largest capacity works to its last slot") {
  SlotRing ring(65536, 8, 0);
  for (int64_t n = 0; n < 65536; ++n) {
    ring.hand().stamp.seq = n;
    REQUIRE(ring.push(false) == SlotRing::Push::done);
  }
  CHECK(ring.push(false) == SlotRing::Push::full);
  for (int64_t n = 0; n < 65536; ++n) REQUIRE(ring.take()->stamp.seq == n);
}

TEST_CASE("two threads, blocking: every packet arrives once, whole and in order") {
  for (const uint32_t capacity : {1u, 2u, 64u}) {
    auto ring = ring_of(capacity);
    constexpr int64_t kPackets = 100'000;
    std::thread producer([&] {
      for (int64_t n = 0; n < kPackets; ++n) {
        fill(ring.hand(), n);
        while (ring.push(false) == SlotRing::Push::full) std::this_thread::yield();
      }
      ring.close();
    });
    int64_t expected = 0;
    bool good = true;
    for (;;) {
      const bool closed = ring.closed();  // before take: nothing comes after it
      Slot* slot = ring.take();
      if (slot) {
        good = good && slot->stamp.seq == expected++ && intact(*slot);
      } else if (closed) {
        break;
      } else {
        std::this_thread::yield();
      }
    }
    producer.join();
    CHECK(good);
    CHECK(expected == kPackets);
  }
}

TEST_CASE("two threads, drop_oldest: what arrives is whole, rising, and with the drops adds up") {
  for (const uint32_t capacity : {1u, 2u, 3u, 16u}) {
    auto ring = ring_of(capacity);
    constexpr int64_t kPackets = 200'000;
    int64_t dropped = 0;
    std::thread producer([&] {
      for (int64_t n = 0; n < kPackets; ++n) {
        fill(ring.hand(), n);
        dropped += ring.push(true) == SlotRing::Push::dropped_oldest;
        if (n % 64 == 0) std::this_thread::yield();
      }
      ring.close();
    });
    int64_t last = -1, taken = 0;
    bool good = true;
    for (;;) {
      const bool closed = ring.closed();
      Slot* slot = ring.take();
      if (slot) {
        good = good && slot->stamp.seq > last && intact(*slot);
        last = slot->stamp.seq;
        ++taken;
      } else if (closed) {
        break;
      }
    }
    producer.join();
    CHECK(good);
    CHECK(last == kPackets - 1);
    CHECK(taken + dropped == kPackets);
  }
}
