// Owns the eye encoder's packing, the way of a picture through it, and what its heads mean.
#include "kernels/eye_encoder_step/eye_encoder_step.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace rtgraph::kernels {

#define RTGRAPH_DECLARE(isa)                                                                                      \
  namespace isa {                                                                                                 \
  int eye_block_channels(int left) noexcept;                                                                      \
  void eye_convolve(const EyeStage&) noexcept;                                                                    \
  void eye_winograd(const EyeStage&) noexcept;                                                                    \
  void eye_locate(const EyeMaps&) noexcept;                                                                       \
  void eye_multiply(const float*, int, int, const float*, const float*, int, bool, float*, int) noexcept;         \
  }
RTGRAPH_DECLARE(baseline)
RTGRAPH_DECLARE(avx2)
RTGRAPH_DECLARE(avx512)
#undef RTGRAPH_DECLARE

namespace {

int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument("eye_encoder_step: " + message);
}

// [out, in, 3, 3] -> blocks of output channels, each [ky][kx, in][channel].
AlignedBuffer<float> pack_convolution(const float* weight, int inputs, int outputs, int (*block_channels)(int) noexcept) {
  AlignedBuffer<float> packed(static_cast<std::size_t>(9) * inputs * outputs);
  float* to = packed.data();
  for (int first = 0; first < outputs;) {
    const int block = block_channels(outputs - first);
    for (int k = 0; k < 9; ++k)
      for (int i = 0; i < inputs; ++i)
        for (int o = first; o < first + block; ++o)
          *to++ = weight[(static_cast<std::size_t>(o) * inputs + i) * 9 + k];
    first += block;
  }
  return packed;
}

// The weight [3, 3] of one pair of channels as winograd.cpp multiplies it: G w G' [4, 4].
std::array<float, 16> transform_weight(const float* w) {
  constexpr double G[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  std::array<float, 16> out;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      double sum = 0;
      for (int a = 0; a < 3; ++a)
        for (int b = 0; b < 3; ++b) sum += G[i][a] * w[3 * a + b] * G[j][b];
      out[4 * i + j] = static_cast<float>(sum);
    }
  return out;
}

// [out, in, 3, 3] -> blocks of output channels, each [16][in][channel].
AlignedBuffer<float> pack_transformed(const float* weight, int inputs, int outputs, int (*block_channels)(int) noexcept) {
  AlignedBuffer<float> packed(static_cast<std::size_t>(16) * inputs * outputs);
  float* to = packed.data();
  for (int first = 0; first < outputs;) {
    const int block = block_channels(outputs - first);
    for (int i = 0; i < inputs; ++i)
      for (int o = 0; o < block; ++o) {
        const auto numbers = transform_weight(weight + (static_cast<std::size_t>(first + o) * inputs + i) * 9);
        for (int k = 0; k < 16; ++k) to[(k * inputs + i) * block + o] = numbers[k];
      }
    to += 16 * inputs * block;
    first += block;
  }
  return packed;
}

AlignedBuffer<float> copy_of(const float* values, int count, int padded) {
  AlignedBuffer<float> copy(static_cast<std::size_t>(padded));
  std::copy_n(values, count, copy.data());
  return copy;
}

}  // namespace

EyeEncoderStep::EyeEncoderStep(const EyeEncoderShape& s, const WeightMap& weights, int height, int width, Isa isa)
    : shape_(s), height_(height), width_(width), crop_(std::min(height, width)) {
  require(can_run(isa), "this machine does not run the instruction set that was asked for");
  require(height >= 16 && width >= 16 && height <= 4096 && width <= 4096,
          "pictures: expected 16 to 4096 pixels high and wide, got " + std::to_string(height) + " x " +
              std::to_string(width));
  require(s.side_px % s.fold == 0 && !s.widths.empty(), "the side must be a multiple of the fold, with a stage or more");
  int (*block_channels)(int) noexcept = nullptr;
  switch (isa) {
    case Isa::baseline:
      convolve_ = baseline::eye_convolve, winograd_ = baseline::eye_winograd, locate_ = baseline::eye_locate;
      multiply_ = baseline::eye_multiply, block_channels = baseline::eye_block_channels;
      break;
    case Isa::avx2:
      convolve_ = avx2::eye_convolve, winograd_ = avx2::eye_winograd, locate_ = avx2::eye_locate;
      multiply_ = avx2::eye_multiply, block_channels = avx2::eye_block_channels;
      break;
    case Isa::avx512:
      convolve_ = avx512::eye_convolve, winograd_ = avx512::eye_winograd, locate_ = avx512::eye_locate;
      multiply_ = avx512::eye_multiply, block_channels = avx512::eye_block_channels;
      break;
  }

  // Resampling: the mean over each output pixel's share of the source, or the line between two pixels where it grows.
  picture_ = AlignedBuffer<float>(static_cast<std::size_t>(s.side_px) * s.side_px);
  band_ = AlignedBuffer<float>(static_cast<std::size_t>(crop_) * s.side_px);
  const double scale = static_cast<double>(crop_) / s.side_px, reach = std::max(1.0, scale);
  for (int i = 0; i < s.side_px; ++i) {
    const double centre = (i + 0.5) * scale - 0.5;
    const int first = std::max(0, static_cast<int>(std::ceil(centre - reach)));
    const int last = std::min(crop_ - 1, static_cast<int>(std::floor(centre + reach)));
    first_.push_back(first), taps_.push_back(last - first + 1);
    double total = 0;
    const std::size_t start = tap_weights_.size();
    for (int k = first; k <= last; ++k) {
      const double weight = std::max(0.0, 1 - std::fabs(k - centre) / reach);  // a triangle
      tap_weights_.push_back(static_cast<float>(weight)), total += weight;
    }
    for (std::size_t k = start; k < tap_weights_.size(); ++k) tap_weights_[k] /= static_cast<float>(total);
  }

  std::vector<bool> transformed;
  int side = s.side_px / s.fold, inputs = s.fold * s.fold;
  buffers_.push_back({AlignedBuffer<float>(static_cast<std::size_t>(side + 2) * (side + 2) * inputs), side, inputs, 1});
  for (std::size_t k = 0; k < s.widths.size(); ++k) {
    const int outputs = s.widths[k], stride = k == 0 || inputs == outputs ? 1 : 2;
    require(outputs % 16 == 0, "widths: expected multiples of 16");
    require(side % (4 * stride) == 0, "widths: the picture becomes too small for so many stages");
    side /= stride;
    const int border = k + 1 < s.widths.size() ? 1 : 0;  // the last one is read as one row of numbers
    buffers_.push_back({AlignedBuffer<float>(static_cast<std::size_t>(side + 2 * border) * (side + 2 * border) * outputs),
                        side, outputs, border});
    const std::string name = "stages." + std::to_string(k);
    const bool transform = stride == 1 && inputs % 16 == 0 && side % 8 == 0;  // whole tiles, four at a time
    const float* weight = weights.get(name + ".weight", {outputs, inputs, 3, 3});
    packed_.push_back((transform ? pack_transformed : pack_convolution)(weight, inputs, outputs, block_channels));
    const std::size_t needed = transform ? static_cast<std::size_t>(16) * (side / 2) * (inputs + outputs) : 0;
    if (needed > scratch_.size()) scratch_ = AlignedBuffer<float>(needed);
    biases_.push_back(copy_of(weights.get(name + ".bias", {outputs}), outputs, outputs));
    stages_.push_back({.inputs = inputs, .outputs = outputs, .stride = stride, .out_side = side, .x = nullptr, .y = nullptr,
                       .x_row = 0, .y_row = 0, .weight = packed_.back().data(), .bias = biases_.back().data(), .scratch = nullptr});
    transformed.push_back(transform);
    inputs = outputs;
  }
  for (std::size_t k = 0; k < stages_.size(); ++k) {
    stages_[k].x = buffers_[k].data.data(), stages_[k].x_row = buffers_[k].row();
    stages_[k].y = buffers_[k + 1].pixel(), stages_[k].y_row = buffers_[k + 1].row();
    if (transformed[k]) stages_[k].scratch = scratch_.data();
  }

  require(s.places > 0 && s.places_after >= 0 && s.places_after < static_cast<int>(s.widths.size()),
          "places: expected some, behind one of the stages");
  const Buffer& mapped = buffers_[static_cast<std::size_t>(s.places_after) + 1];
  require(mapped.side % 2 == 0, "places: expected an even side of the maps");
  places_ = pack_dense(weights, "places", s.places, mapped.channels);
  maps_ = AlignedBuffer<float>(static_cast<std::size_t>(mapped.side) * mapped.side * places_.padded);

  const int flat = side * side * inputs + 2 * s.places;
  hidden_ = pack_dense(weights, "hidden", s.hidden, flat);
  features_ = pack_dense(weights, "features", s.features, s.hidden);
  for (int eye = 0; eye < 2; ++eye) heads_[eye] = pack_dense(weights, "heads", heads, s.features, eye, 2);
  flat_ = AlignedBuffer<float>(2 * static_cast<std::size_t>(flat));
  hidden_out_ = AlignedBuffer<float>(2 * static_cast<std::size_t>(hidden_.padded));
  features_out_ = AlignedBuffer<float>(2 * static_cast<std::size_t>(features_.padded));
  heads_out_ = AlignedBuffer<float>(2 * static_cast<std::size_t>(heads_[0].padded));
}

// One of `layers` layers [layers, outputs, inputs], or the only one [outputs, inputs] where that is 0.
EyeEncoderStep::Dense EyeEncoderStep::pack_dense(const WeightMap& weights, const char* name, int outputs, int inputs,
                                                 int layer, int layers) const {
  const int padded = round_up(outputs, 16);
  WeightMap::Shape matrix{outputs, inputs}, row{outputs};
  if (layers > 0) matrix.insert(matrix.begin(), layers), row.insert(row.begin(), layers);
  const float* from = weights.get(std::string(name) + ".weight", matrix) + static_cast<std::size_t>(layer) * outputs * inputs;
  AlignedBuffer<float> packed(static_cast<std::size_t>(inputs) * padded);
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < inputs; ++i)
      packed[static_cast<std::size_t>(i) * padded + o] = from[static_cast<std::size_t>(o) * inputs + i];
  return {inputs, outputs, padded, std::move(packed),
          copy_of(weights.get(std::string(name) + ".bias", row) + layer * outputs, outputs, padded)};
}

void EyeEncoderStep::resample(const std::uint8_t* image, bool mirror) noexcept {
  const int side = shape_.side_px;
  const std::uint8_t* corner = image + (height_ - crop_) / 2 * width_ + (width_ - crop_) / 2;
  if (crop_ == side) {
    for (int y = 0; y < side; ++y) {
      const std::uint8_t* row = corner + static_cast<std::ptrdiff_t>(y) * width_;
      float* to = picture_.data() + y * side;
      if (mirror)
        for (int x = 0; x < side; ++x) to[x] = row[side - 1 - x];
      else
        for (int x = 0; x < side; ++x) to[x] = row[x];
    }
    return;
  }
  for (int y = 0; y < crop_; ++y) {
    const std::uint8_t* row = corner + static_cast<std::ptrdiff_t>(y) * width_;
    float* to = band_.data() + y * side;
    const float* weight = tap_weights_.data();
    for (int x = 0; x < side; ++x) {
      float sum = 0;
      for (int k = 0; k < taps_[x]; ++k) sum += weight[k] * row[first_[x] + k];
      weight += taps_[x];
      to[mirror ? side - 1 - x : x] = sum;
    }
  }
  const float* weight = tap_weights_.data();
  for (int y = 0; y < side; ++y) {
    float* to = picture_.data() + y * side;
    std::fill_n(to, side, 0.0f);
    for (int k = 0; k < taps_[y]; ++k) {
      const float* from = band_.data() + (first_[y] + k) * side;
      for (int x = 0; x < side; ++x) to[x] += weight[k] * from[x];
    }
    weight += taps_[y];
  }
}

void EyeEncoderStep::normalise() noexcept {
  const int side = shape_.side_px, fold = shape_.fold;
  // Sums of rows first: float32 loses nothing over 128 numbers of up to 255^2.
  double total = 0, squares = 0;
  for (int y = 0; y < side; ++y) {
    float sum = 0, square = 0;
    for (int x = 0; x < side; ++x) {
      const float v = picture_[y * side + x];
      sum += v, square += v * v;
    }
    total += sum, squares += square;
  }
  const double count = static_cast<double>(side) * side, mean = total / count;
  const double spread = std::sqrt(std::max(0.0, squares / count - mean * mean)) / 255;
  const float shift = static_cast<float>(mean), scale = static_cast<float>(1 / (255 * (spread + shape_.contrast_floor)));
  Buffer& to = buffers_.front();
  for (int y = 0; y < side; ++y) {
    const float* from = picture_.data() + y * side;
    float* row = to.pixel() + y / fold * to.row() + y % fold * fold;
    for (int x = 0; x < side; x += fold, row += to.channels)
      for (int k = 0; k < fold; ++k) row[k] = (from[x + k] - shift) * scale;
  }
}

void EyeEncoderStep::locate(const Buffer& stage, float* places) noexcept {
  const int side = stage.side, channels = stage.channels;
  float* maps = maps_.data();
  for (int y = 0; y < side; ++y) {
    const float* pixel = stage.data.data() + (stage.border + y) * stage.row() + stage.border * channels;
    for (int x = 0; x < side; x += 2, pixel += 2 * channels, maps += 2 * places_.padded)
      multiply_(pixel, channels, channels, places_.weight.data(), places_.bias.data(), places_.padded, false, maps,
                places_.padded);
  }
  locate_({.side = side, .padded = places_.padded, .count = shape_.places, .reach = shape_.place_reach,
           .maps = maps_.data(), .places = places});
}

void EyeEncoderStep::step(const std::uint8_t* left, const std::uint8_t* right, float* features, float* state,
                          float* mirrored) noexcept {
  const int flat = hidden_.inputs;
  for (int eye = 0; eye < 2; ++eye) {
    resample(eye == 0 ? left : right, eye == 1);
    normalise();
    for (const EyeStage& stage : stages_) (stage.scratch ? winograd_ : convolve_)(stage);
    const int seen = flat - 2 * shape_.places;
    std::copy_n(buffers_.back().data.data(), seen, flat_.data() + eye * flat);
    locate(buffers_[static_cast<std::size_t>(shape_.places_after) + 1], flat_.data() + eye * flat + seen);
  }
  const auto dense = [this](const Dense& layer, const float* x, int x_row, bool rectify, float* y) {
    multiply_(x, x_row, layer.inputs, layer.weight.data(), layer.bias.data(), layer.padded, rectify, y, layer.padded);
  };
  dense(hidden_, flat_.data(), flat, true, hidden_out_.data());
  dense(features_, hidden_out_.data(), hidden_.padded, false, features_out_.data());
  for (std::size_t i = 0; i < features_out_.size(); ++i) features_out_[i] = std::tanh(features_out_[i]);
  for (int eye = 0; eye < 2; ++eye)  // each has its own layer; the stride of 0 makes two equal rows
    multiply_(features_out_.data() + eye * features_.padded, 0, features_.outputs, heads_[eye].weight.data(),
              heads_[eye].bias.data(), heads_[eye].padded, false, heads_out_.data() + eye * heads_[eye].padded, 0);

  const EyeEncoderShape& s = shape_;
  const auto unit = [](float v) { return std::clamp(v, 0.0f, 1.0f); };
  for (int eye = 0; eye < 2; ++eye) {
    std::copy_n(features_out_.data() + eye * features_.padded, s.features, features + eye * s.features);
    const float* raw = heads_out_.data() + eye * heads_[eye].padded;
    float* to = state + eye * states;
    to[0] = (eye == 0 ? 1.0f : -1.0f) * raw[0] * s.gaze_scale_rad;
    to[1] = raw[1] * s.gaze_scale_rad;
    for (int k = 2; k < 5; ++k) to[k] = unit(raw[k]);
    to[5] = std::clamp(s.pupil_centre_mm + s.pupil_scale_mm * raw[5], s.pupil_least_mm, s.pupil_most_mm);
    to[6] = 1 / (1 + std::exp(-raw[6]));
    mirrored[eye] = 1 / (1 + std::exp(-raw[7]));
  }
}

}  // namespace rtgraph::kernels
