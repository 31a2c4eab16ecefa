// The One-Euro filter (Casiez, Roussel & Vogel 2012) on some numbers of a vector, with the real time between
// samples; nodes/face/one_euro.py is the same in Python. One thread uses it; it allocates when it is made.
#pragma once

#include <cmath>
#include <numbers>
#include <span>
#include <vector>

namespace rtgraph::nodes {

class OneEuro {
 public:
  // By number: cutoff at rest, Hz (infinite: it passes as it is), and Hz of cutoff for a unit a second of speed.
  OneEuro(std::span<const float> cutoff_hz, std::span<const float> beta) {
    for (size_t i = 0; i < cutoff_hz.size(); ++i) {
      if (std::isfinite(cutoff_hz[i])) numbers_.push_back({i, cutoff_hz[i], beta[i]});
    }
  }

  void reset() { begun_ = false; }

  // Filters x in place; it must be finite. passed_s: since the last call, 0 at the first.
  void smooth(std::span<float> x, double passed_s) {
    for (Number& n : numbers_) {
      const double now = x[n.index];
      if (!begun_) {
        n.y = now;
        n.speed = 0.0;
      } else if (passed_s > 0.0) {
        n.speed += share(kSpeedCutoffHz, passed_s) * ((now - n.x) / passed_s - n.speed);
        n.y += share(n.cutoff_hz + n.beta * std::abs(n.speed), passed_s) * (now - n.y);
      }
      n.x = now;
      x[n.index] = static_cast<float>(n.y);
    }
    begun_ = true;
  }

 private:
  struct Number {
    size_t index;
    double cutoff_hz, beta;
    double x = 0.0, y = 0.0, speed = 0.0;  // the last sample, what was made of it, and how fast it moves
  };

  static constexpr double kSpeedCutoffHz = 1.0;

  // Of the new value in a one-pole low-pass: alpha in the paper.
  static double share(double cutoff_hz, double passed_s) {
    return 1.0 / (1.0 + 1.0 / (2.0 * std::numbers::pi * cutoff_hz * passed_s));
  }

  std::vector<Number> numbers_;
  bool begun_ = false;
};

}  // namespace rtgraph::nodes
