// EventCount: no wake-up is lost, and deadlines hold.
#include "event_count.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "clock.h"

using rtgraph::EventCount;
using rtgraph::monotonic_ns;

TEST_CASE("ping-pong over two event counts never hangs") {
  EventCount ping, pong;
  std::atomic<int> turn{0};
  constexpr int kRounds = 20'000;
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      while (turn.load() != 2 * i + 1) ping.wait(-1, [&] { return turn.load() == 2 * i + 1; });
      turn.store(2 * i + 2);
      pong.notify();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    turn.store(2 * i + 1);
    ping.notify();
    while (turn.load() != 2 * i + 2) pong.wait(-1, [&] { return turn.load() == 2 * i + 2; });
  }
  other.join();
  CHECK(turn.load() == 2 * kRounds);
}

TEST_CASE("many notifiers: the waiter sees every item") {
  EventCount event;
  std::atomic<int> items{0};
  constexpr int kThreads = 3, kEach = 20'000;
  std::vector<std::thread> notifiers;
  for (int t = 0; t < kThreads; ++t) {
    notifiers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        items.fetch_add(1);
        event.notify();
      }
    });
  }
  int seen = 0;
  while (seen < kThreads * kEach) {
    event.wait(-1, [&] { return items.load() > seen; });
    seen = items.load();
  }
  for (auto& t : notifiers) t.join();
  CHECK(seen == kThreads * kEach);
}

TEST_CASE("a wait ends at its deadline, and a past deadline does not wait") {
  EventCount event;
  const int64_t start = monotonic_ns();
  event.wait(start + 20'000'000, [] { return false; });
  CHECK(monotonic_ns() - start >= 20'000'000);
  event.wait(start, [] { return false; });
  event.wait(-1, [] { return true; });
}
