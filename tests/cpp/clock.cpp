// Clocks: the audio clock's follower, the stopwatch.
#include "clock.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "stopwatch.h"

using namespace rtgraph;

TEST_CASE("the follower finds a device's drift through jittery observations") {
  for (const double ppm : {-300.0, 0.0, 50.0, 300.0}) {
    ClockFollower follower;
    std::mt19937 random(3);
    std::exponential_distribution<double> late(1.0 / 300'000);  // wake-ups are late, 0.3 ms on average, never early
    const double device_rate = 1 + ppm * 1e-6;
    for (int64_t n = 1; n <= 6000; ++n) {  // a minute of 10 ms chunks
      const int64_t device_ns = n * 10'000'000;
      follower.observe(device_ns, static_cast<int64_t>(static_cast<double>(device_ns) / device_rate + late(random)) + 5'000'000'000);
    }
    CHECK(std::abs(follower.drift_ppm() - ppm) < 10);
    const int64_t now = 5'000'000'000 + static_cast<int64_t>(60e9 / device_rate);
    CHECK(std::abs(static_cast<double>(follower.to_device(now) - 60'000'000'000)) < 1e6);  // within the mean lateness
  }
}

TEST_CASE("a pause and a jump leave the follower's rate alone") {
  ClockFollower follower;
  constexpr int64_t ms = 1'000'000;
  for (int64_t n = 1; n <= 200; ++n) follower.observe(n * 10 * ms, n * 10 * ms);
  follower.observe(3500 * ms, 3540 * ms);  // 1.5 s later, and 40 ms late
  CHECK(std::abs(follower.drift_ppm()) < 1);
  CHECK(follower.to_device(3540 * ms) == 3500 * ms);
  for (int64_t n = 1; n <= 200; ++n) follower.observe((3500 + n * 10) * ms, (4540 + n * 10) * ms);  // a second late
  CHECK(std::abs(follower.drift_ppm()) < 1100);  // what an oscillator may be off at most
}

TEST_CASE("the audio clock follows the device, the system clock itself") {
  Clock audio(ClockKind::audio);
  CHECK(audio.graph_ns(77) == 77);  // nothing observed yet
  audio.observe(0, 1'000'000'000);
  audio.observe(10'000'000, 1'010'000'000);
  CHECK(audio.graph_ns(1'020'000'000) == doctest::Approx(1'020'000'000));
  Clock system(ClockKind::system);
  CHECK(system.graph_ns(123) == 123);
  Clock manual(ClockKind::manual);
  manual.set_virtual(42);
  CHECK(manual.ticks() == 42);
}

TEST_CASE("no reader sees the audio clock go back") {
  Clock audio(ClockKind::audio);
  constexpr int64_t ms = 1'000'000;
  audio.observe(0, 1000 * ms);
  CHECK(audio.now_ns(1010 * ms) == 1010 * ms);
  audio.observe(10 * ms, 1110 * ms);  // the device is 100 ms behind: half of it is believed
  CHECK(audio.graph_ns(1110 * ms) < 1070 * ms);
  CHECK(audio.now_ns(1110 * ms) > 1050 * ms);
  audio.observe(20 * ms, 1220 * ms);
  const int64_t before = audio.now_ns(1500 * ms);
  audio.observe(30 * ms, 1500 * ms);
  REQUIRE(audio.graph_ns(1501 * ms) < before);
  CHECK(audio.now_ns(1501 * ms) == before);
  CHECK(audio.now_ns(2000 * ms) > before);
}

TEST_CASE("the stopwatch agrees with the monotonic clock and never runs backwards") {
  Stopwatch watch;
  int64_t last = watch.now();
  for (int i = 0; i < 200'000; ++i) {
    const int64_t now = watch.now();
    REQUIRE(now >= last);
    last = now;
  }
  const int64_t before = monotonic_ns(), read = watch.now(), after = monotonic_ns();
  CHECK(read > before - 100'000);
  CHECK(read < after + 100'000);
}
