// The graph's clock: what `now` means for timestamps, on the system's time, a device's, or a test's.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>

namespace rtgraph {

inline int64_t monotonic_ns() noexcept {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

enum class ClockKind { system, audio, manual };

// Follows a device's clock against the system's: a second-order delay-locked loop (F. Adriaensen, "Using a DLL to
// filter time", LAC 2005) with a bandwidth of 0.1 Hz, so that the scheduling jitter of single observations averages out.
// observe: the device's source thread. to_device, drift_ppm: any thread.
class ClockFollower {
 public:
  // `device_ns` on the device's clock was reached at `system_ns`.
  void observe(int64_t device_ns, int64_t system_ns) noexcept {
    if (count_++ == 0) {
      first_device_ = device_ns;
      device_ = device_ns;
      system_ = static_cast<double>(system_ns);
      publish();
      return;
    }
    const double step = static_cast<double>(device_ns - device_);
    if (step <= 0) return;
    if (step > kPause) {  // it stopped, or its times made no sense for a while: the rate stays, the time is taken anew
      system_ = static_cast<double>(system_ns);
      device_ = device_ns;
      publish();
      return;
    }
    const double expected = system_ + step * rate_;
    const double error = static_cast<double>(system_ns) - expected;
    const double omega = 6.283185307179586 * kBandwidth * step * 1e-9;
    // While young, average evenly: the loop's own bandwidth would take tens of seconds to forget the first jitter.
    const double age = static_cast<double>(device_ns - first_device_);
    const double b = 1.414 * omega, c = omega * omega;
    system_ = expected + (b > step / (age + step) ? b : step / (age + step)) * error;
    rate_ = std::clamp(rate_ + c / step * error, 1 - kMaxDrift, 1 + kMaxDrift);
    device_ = device_ns;
    publish();
  }

  bool started() const noexcept { return version_.load(std::memory_order_acquire) != 0; }

  // The device's time at this system time, extrapolated from the newest observation.
  int64_t to_device(int64_t system_ns) const noexcept {
    const Line l = read();
    return l.device_ns + static_cast<int64_t>(static_cast<double>(system_ns - l.system_ns) / l.rate);
  }

  // How much faster than the system's clock the device's runs, in parts per million.
  double drift_ppm() const noexcept { return started() ? (1.0 / read().rate - 1.0) * 1e6 : 0.0; }

 private:
  static constexpr double kBandwidth = 0.1;   // Hz
  static constexpr double kPause = 500e6;     // ns; the loop is only stable for steps well within its bandwidth
  static constexpr double kMaxDrift = 1e-3;   // no working oscillator is further off

  struct Line {
    int64_t device_ns, system_ns;
    double rate;  // system ns per device ns
  };

  // A sequence lock over atomics: readers retry while the writer is at work, the writer never waits.
  void publish() noexcept {
    const uint32_t v = version_.load(std::memory_order_relaxed);
    version_.store(v + 1, std::memory_order_seq_cst);
    shared_device_.store(device_, std::memory_order_seq_cst);
    shared_system_.store(static_cast<int64_t>(system_), std::memory_order_seq_cst);
    shared_rate_.store(rate_, std::memory_order_seq_cst);
    version_.store(v + 2, std::memory_order_seq_cst);
  }
  Line read() const noexcept {
    for (;;) {
      const uint32_t before = version_.load(std::memory_order_seq_cst);
      Line l{shared_device_.load(std::memory_order_seq_cst), shared_system_.load(std::memory_order_seq_cst),
             shared_rate_.load(std::memory_order_seq_cst)};
      if ((before & 1) == 0 && version_.load(std::memory_order_seq_cst) == before) return l;
    }
  }

  int64_t count_ = 0, first_device_ = 0, device_ = 0;
  double system_ = 0, rate_ = 1.0;
  std::atomic<uint32_t> version_{0};
  std::atomic<int64_t> shared_device_{0}, shared_system_{0};
  std::atomic<double> shared_rate_{1.0};
};

// `ticks` measure durations and deadlines: the monotonic clock in a live run, virtual time in a manual one.
// `graph_ns` is what timestamps are on: the same, but for `clock: audio`, where the device's time stands in its place.
class Clock {
 public:
  explicit Clock(ClockKind kind) : kind_(kind) {}

  ClockKind kind() const noexcept { return kind_; }
  bool manual() const noexcept { return kind_ == ClockKind::manual; }

  int64_t ticks() const noexcept { return manual() ? virtual_ns_.load(std::memory_order_relaxed) : monotonic_ns(); }
  int64_t graph_ns(int64_t ticks) const noexcept {
    return kind_ == ClockKind::audio && follower_.started() ? offset_ns_ + follower_.to_device(ticks) : ticks;
  }

  // `graph_ns` of this moment. Where the device's clock is found to be behind what was said, it stands until that is
  // reached: no reader, on any thread, sees time go back.
  int64_t now_ns(int64_t ticks) const noexcept {
    const int64_t now = graph_ns(ticks);
    if (kind_ != ClockKind::audio) return now;
    int64_t told = told_ns_.load(std::memory_order_relaxed);
    while (now > told && !told_ns_.compare_exchange_weak(told, now, std::memory_order_relaxed)) {
    }
    return std::max(now, told);
  }

  // The device's source: its first sample is time zero of the device and lies at this moment on the graph's clock.
  void observe(int64_t device_ns, int64_t system_ns) noexcept {
    if (!follower_.started()) offset_ns_ = system_ns - device_ns;
    follower_.observe(device_ns, system_ns);
  }
  double drift_ppm() const noexcept { return follower_.drift_ppm(); }

  // The manual run's one thread.
  void set_virtual(int64_t ns) noexcept { virtual_ns_.store(ns, std::memory_order_relaxed); }

 private:
  ClockKind kind_;
  std::atomic<int64_t> virtual_ns_{0};
  std::atomic<int64_t> offset_ns_{0};
  mutable std::atomic<int64_t> told_ns_{0};  // the latest `now_ns`, of `clock: audio`
  ClockFollower follower_;
};

}  // namespace rtgraph
