// The yardstick of the native runtime: the five-node chain as a bare C++ program, inline or over two threads.
//
//   bare_ring inline|threads MESSAGES PACED_MESSAGES
//
// prints one JSON line {"messages_per_s", "hop_us_p50", "hop_us_p99"}: the rate unpaced, then the time of a hop
// (source to sink, divided by four) at 1 kHz. The source writes 4 KiB into a preallocated slot, the others hand the
// slot on. A node costs one virtual call, the least that a program which learns its graph at run time can pay.
// Linux only: threads park on a futex.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kPayloadBytes = 4096;
constexpr std::uint64_t kSlots = 64;  // a power of two
constexpr int kHops = 4;
constexpr std::chrono::nanoseconds kPeriod{1'000'000};  // 1 kHz

using Clock = std::chrono::steady_clock;

struct alignas(64) Slot {
  std::uint64_t seq;
  Clock::time_point sent;
  std::array<std::uint8_t, kPayloadBytes> payload;
};

// A place where one thread parks until another has changed what it waits for.
class Parking {
 public:
  // Called by the waiting thread only; blocks until ready() is true.
  template <class Ready>
  void wait(Ready ready) {
    while (!ready()) {
      parked_.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with the fence in wake_if_parked
      if (!ready()) syscall(SYS_futex, &parked_, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
      parked_.store(0, std::memory_order_relaxed);
    }
  }

  // Called by the other thread after its change; a system call only when somebody is parked. Never blocks.
  void wake_if_parked() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_relaxed) == 0) return;
    parked_.store(0, std::memory_order_relaxed);
    syscall(SYS_futex, &parked_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

 private:
  alignas(64) std::atomic<std::uint32_t> parked_{0};
  static_assert(sizeof(parked_) == 4, "a futex is a 32-bit word");
};

// Single-producer single-consumer ring of preallocated slots. The writer owns head_, the reader owns tail_; each keeps a
// private copy of the other's index and reads the shared one only when the copy says full or empty.
class Ring {
 public:
  // Writer: the slot to fill; blocks while the ring is full.
  Slot* acquire() {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head - tail_seen_ == kSlots) {
      space_.wait([&] { return head - (tail_seen_ = tail_.load(std::memory_order_acquire)) < kSlots; });
    }
    return &slots_[head % kSlots];
  }

  // Writer: hands the slot of the last acquire() to the reader.
  void publish() {
    head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    data_.wake_if_parked();
  }

  // Reader: the oldest slot; blocks while the ring is empty.
  Slot* front() {
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_seen_) {
      data_.wait([&] { return tail != (head_seen_ = head_.load(std::memory_order_acquire)); });
    }
    return &slots_[tail % kSlots];
  }

  // Reader: gives the slot of the last front() back. A writer that met a full ring is woken at every half ring only, so
  // that a slow reader pays for one wake in many slots; the half ring is always reached, as a full ring holds two.
  void release() {
    const auto tail = tail_.load(std::memory_order_relaxed) + 1;
    tail_.store(tail, std::memory_order_release);
    if (tail % (kSlots / 2) == 0) space_.wake_if_parked();
  }

 private:
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::uint64_t tail_seen_ = 0;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_seen_ = 0;
  Parking data_;
  Parking space_;
  std::array<Slot, kSlots> slots_{};
};

class Node {
 public:
  virtual ~Node() = default;
  virtual void process(Slot& slot) = 0;
};

class Source final : public Node {
 public:
  explicit Source(bool paced) : paced_(paced) {}
  void process(Slot& slot) override {
    if (paced_) {
      std::this_thread::sleep_until(due_ += kPeriod);
      slot.sent = Clock::now();
    }
    slot.seq = seq_++;
    slot.payload.fill(static_cast<std::uint8_t>(slot.seq));
  }

 private:
  const bool paced_;
  Clock::time_point due_ = Clock::now();
  std::uint64_t seq_ = 0;
};

class Relay final : public Node {
 public:
  void process(Slot&) override {}
};

// Checks what arrives and, on a paced run, notes when.
class Sink final : public Node {
 public:
  Sink(bool paced, std::uint64_t messages) : paced_(paced) {
    if (paced) hop_us_.reserve(messages);
  }
  void process(Slot& slot) override {
    if (paced_) hop_us_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - slot.sent).count() / kHops);
    if (slot.seq != expected_ || slot.payload.back() != static_cast<std::uint8_t>(expected_)) {
      std::fprintf(stderr, "bare_ring: expected message %llu, got %llu\n", static_cast<unsigned long long>(expected_),
                   static_cast<unsigned long long>(slot.seq));
      std::exit(1);
    }
    ++expected_;
  }
  std::vector<double> hop_us() && { return std::move(hop_us_); }

 private:
  const bool paced_;
  std::uint64_t expected_ = 0;
  std::vector<double> hop_us_;
};

struct Result {
  double seconds;
  std::vector<double> hop_us;
};

Result run(bool threads, bool paced, std::uint64_t messages) {
  std::vector<std::unique_ptr<Node>> nodes;
  nodes.push_back(std::make_unique<Source>(paced));
  for (int relay = 0; relay < kHops - 1; ++relay) nodes.push_back(std::make_unique<Relay>());
  auto sink = std::make_unique<Sink>(paced, messages);
  Sink& end = *sink;
  nodes.push_back(std::move(sink));
  const auto segment = [&nodes](Slot& slot, std::size_t first, std::size_t last) {
    for (std::size_t node = first; node < last; ++node) nodes[node]->process(slot);
  };

  const auto start = Clock::now();
  if (threads) {
    constexpr std::size_t kCut = 2;  // source and first relay | two relays and the sink
    auto ring = std::make_unique<Ring>();
    std::thread reader([&] {
      for (std::uint64_t message = 0; message < messages; ++message) {
        segment(*ring->front(), kCut, nodes.size());
        ring->release();
      }
    });
    for (std::uint64_t message = 0; message < messages; ++message) {
      segment(*ring->acquire(), 0, kCut);
      ring->publish();
    }
    reader.join();
  } else {
    std::vector<Slot> pool(kSlots);
    for (std::uint64_t message = 0; message < messages; ++message) segment(pool[message % kSlots], 0, nodes.size());
  }
  return {std::chrono::duration<double>(Clock::now() - start).count(), std::move(end).hop_us()};
}

double percentile(std::vector<double>& values, double fraction) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[1] : "";
  const std::uint64_t messages = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const std::uint64_t paced_messages = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if ((mode != "inline" && mode != "threads") || messages == 0 || paced_messages == 0) {
    std::fprintf(stderr, "usage: bare_ring inline|threads MESSAGES PACED_MESSAGES (both above zero)\n");
    return 2;
  }
  const bool threads = mode == "threads";
  run(threads, false, messages / 10 + 1);  // caches, pages and the clock frequency warm up
  const double rate = static_cast<double>(messages) / run(threads, false, messages).seconds;
  auto hop_us = run(threads, true, paced_messages).hop_us;
  std::printf("{\"messages_per_s\": %.0f, \"hop_us_p50\": %.4f, \"hop_us_p99\": %.4f}\n", rate, percentile(hop_us, 0.5),
              percentile(hop_us, 0.99));
}
