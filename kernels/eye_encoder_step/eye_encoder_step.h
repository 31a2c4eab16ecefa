// Owns the eye encoder's step on a CPU: two pictures in, their features and eye states out (models/eye_encoder.py).
//
// Weights are packed once, when the object is built. A picture of any size is cropped to its middle square and resampled
// to the network's side; a right eye is read mirrored, and its yaw mirrored back. Pictures are laid out rows, columns,
// channels with a border of zeros, so that a 3x3 convolution reads three contiguous runs for each output pixel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/common/aligned.h"
#include "kernels/common/isa.h"
#include "kernels/linear/weight_map.h"

namespace rtgraph::kernels {

// See EyeEncoderConfig in models/eye_weights.py, and the constants beside it.
struct EyeEncoderShape {
  int side_px = 128;
  int fold = 2;
  std::vector<int> widths;  // multiples of 16
  int places = 24, places_after = 6;
  int hidden = 192;
  int features = 80;
  float place_reach = 4.0f;
  float contrast_floor = 0.02f;
  float gaze_scale_rad = 0.3f;
  float pupil_centre_mm = 4.5f, pupil_scale_mm = 2.0f, pupil_least_mm = 1.0f, pupil_most_mm = 9.0f;
};

// One convolution as the SIMD code reads it: plain data.
struct EyeStage {
  int inputs, outputs, stride;
  int out_side;
  const float* x;   // [in_side + 2, in_side + 2, inputs]
  float* y;         // first output pixel
  int x_row;        // floats from row to row of x
  int y_row;        // of y
  const float* weight;  // by blocks of up to 48 outputs: [3][3 * inputs][block], or transformed [16][inputs][block]
  const float* bias;    // [outputs]
  float* scratch;       // [16][out_side / 2][inputs + outputs] where the weights are transformed, else null
};

// A stage's maps [side * side][padded], and where each of the first `count` is strongest.
struct EyeMaps {
  int side, padded, count;
  float reach;  // of a place from the middle to the picture's edges
  const float* maps;
  float* places;     // [count, 2] column, row
};

class EyeEncoderStep {
 public:
  static constexpr int heads = 8;   // gaze yaw, pitch, lid, squint, wide, pupil mm, confidence, mirrored
  static constexpr int states = 7;  // without the last

  // weights: their `heads` are [2, ...], left then right. height, width: of the pictures, in pixels. Throws std::invalid_argument where weights, shape or machine do not fit.
  EyeEncoderStep(const EyeEncoderShape& shape, const WeightMap& weights, int height, int width, Isa isa = best_isa());

  int height() const noexcept { return height_; }
  int width() const noexcept { return width_; }
  int features() const noexcept { return shape_.features; }

  // left, right [height, width]; features [2, features]; state [2, states]; mirrored [2], how probable it is, 0..1,
  // that a picture is a mirror's or the other eye's; left then right. One thread at a time; never blocks, allocates
  // or throws. The numbers are finite whatever the pictures hold.
  void step(const std::uint8_t* left, const std::uint8_t* right, float* features, float* state, float* mirrored) noexcept;

 private:
  struct Buffer {
    AlignedBuffer<float> data;
    int side, channels, border;
    float* pixel() { return data.data() + (border * row() + border * channels); }
    int row() const { return (side + 2 * border) * channels; }
  };
  struct Dense {
    int inputs, outputs, padded;
    AlignedBuffer<float> weight;  // [inputs][padded]
    AlignedBuffer<float> bias;    // [padded]
  };
  using Convolve = void (*)(const EyeStage&) noexcept;
  using Locate = void (*)(const EyeMaps&) noexcept;
  // x [2, inputs] -> y [2, padded], with a stride of x_row and y_row floats from eye to eye.
  using Multiply = void (*)(const float* x, int x_row, int inputs, const float* weight, const float* bias, int padded,
                            bool rectify, float* y, int y_row) noexcept;

  void resample(const std::uint8_t* image, bool mirror) noexcept;
  void normalise() noexcept;
  void locate(const Buffer& stage, float* places) noexcept;
  Dense pack_dense(const WeightMap& weights, const char* name, int outputs, int inputs, int layer = 0, int layers = 0) const;

  EyeEncoderShape shape_;
  int height_, width_, crop_;
  AlignedBuffer<float> picture_;           // [side, side] 0..255
  AlignedBuffer<float> band_;              // [crop, side] while resampling
  std::vector<int> first_;                 // [side] first source pixel of each
  std::vector<int> taps_;                  // [side]
  std::vector<float> tap_weights_;         // taps_ after one another
  std::vector<Buffer> buffers_;            // before, between and behind the stages
  std::vector<EyeStage> stages_;
  std::vector<AlignedBuffer<float>> packed_, biases_;
  AlignedBuffer<float> scratch_;           // of the transformed convolutions
  Dense places_, hidden_, features_;
  std::array<Dense, 2> heads_;             // left, right
  AlignedBuffer<float> maps_;              // [side, side, padded]
  AlignedBuffer<float> flat_, hidden_out_, features_out_, heads_out_;  // [2, ...]
  Convolve convolve_ = nullptr, winograd_ = nullptr;
  Locate locate_ = nullptr;
  Multiply multiply_ = nullptr;
};

}  // namespace rtgraph::kernels
