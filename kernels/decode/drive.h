// Owns how a live ExpressionFrame [61] becomes a rig's inputs [52 + correctives + 9]; models/avatar/drive.py, which this
// equals, says what and why. Allocates at construction only; belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace rtgraph::kernels {

// A shape whose weight is first x second, or first x (1 - second). Numbers of ARKit shapes.
struct Corrective {
  int first, second;
  bool inverted;
};

class Drive {
 public:
  explicit Drive(std::vector<Corrective> correctives)
      : correctives_(std::move(correctives)), inputs_(kShapes + correctives_.size() + kAngles) {
    reset();
  }

  int inputs() const noexcept { return static_cast<int>(inputs_.size()); }

  // Forgets the last good frame and the counts.
  void reset() noexcept {
    std::fill(inputs_.begin(), inputs_.end(), 0.0f);
    replaced_frames_ = clamped_values_ = 0;
  }

  // The inputs for a frame, valid until the next call. A frame that holds NaN or infinity is replaced by the last good
  // one (at first the neutral), a value out of range by the nearest in range; both are counted.
  const float* step(const float* frame) noexcept {
    if (!std::all_of(frame, frame + kShapes + kAngles, [](float x) { return std::isfinite(x); })) {
      ++replaced_frames_;
      return inputs_.data();
    }
    float* weights = inputs_.data();
    float* angles = weights + kShapes + correctives_.size();
    for (int i = 0; i < kShapes; ++i) weights[i] = clamp(frame[i], 0.0f, 1.0f);
    for (int i = 0; i < kAngles; ++i) {
      const float limit = i < 3 ? kHeadLimitRad : kEyeLimitRad;
      angles[i] = clamp(frame[kShapes + i], -limit, limit);
    }
    for (int side = 0; side < 2; ++side) {
      float* eye = weights + 7 * side;  // blink, look down, in, out, up, squint, wide
      float* angle = angles + 3 + 3 * side;
      agree(angle[0], eye[3], eye[2], side == 0 ? 1.0f : -1.0f);
      agree(angle[1], eye[1], eye[4], 1.0f);
      for (int shape = 1; shape < 7; ++shape) eye[shape] *= 1.0f - eye[0];
    }
    weights[kMouthClose] = std::min(weights[kMouthClose], weights[kJawOpen]);
    for (std::size_t i = 0; i < correctives_.size(); ++i) {
      const float second = weights[correctives_[i].second];
      weights[kShapes + i] = weights[correctives_[i].first] * (correctives_[i].inverted ? 1.0f - second : second);
    }
    return inputs_.data();
  }

  std::int64_t replaced_frames() const noexcept { return replaced_frames_; }
  std::int64_t clamped_values() const noexcept { return clamped_values_; }

 private:
  static constexpr int kShapes = 52, kAngles = 9, kJawOpen = 17, kMouthClose = 18;
  static constexpr float kFullLookRad = std::numbers::pi_v<float> / 6, kHeadLimitRad = 1.2f, kEyeLimitRad = 0.8f;

  float clamp(float x, float low, float high) noexcept {
    if (x >= low && x <= high) return x;
    ++clamped_values_;
    return x < low ? low : high;
  }

  // Two opposite eyeLook shapes and the angle that says the same: the larger one holds for both.
  static void agree(float& angle, float& more, float& less, float sign) noexcept {
    const float implied = sign * kFullLookRad * (more - less);
    if (std::fabs(implied) > std::fabs(angle)) angle = implied;
    const float share = sign * angle / kFullLookRad;
    more = std::min(std::max(more, share), 1.0f);
    less = std::min(std::max(less, -share), 1.0f);
  }

  std::vector<Corrective> correctives_;
  std::vector<float> inputs_;
  std::int64_t replaced_frames_ = 0, clamped_values_ = 0;
};

}  // namespace rtgraph::kernels
