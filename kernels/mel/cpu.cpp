// Owns the tables and the stream state of the log-mel; the arithmetic of a frame is in simd.cpp.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "kernels/mel/mel.h"

namespace rtgraph::kernels {

#define RTGRAPH_DECLARE(isa)                                                                        \
  namespace isa {                                                                                   \
  void mel_transform(const MelTables&, const float* frame, float* work, float* bands) noexcept;     \
  std::size_t mel_clean(const float* in, std::size_t n, float* out) noexcept;                       \
  }
RTGRAPH_DECLARE(baseline)
RTGRAPH_DECLARE(avx2)
RTGRAPH_DECLARE(avx512)
#undef RTGRAPH_DECLARE

namespace {

constexpr int max_width = 16;  // floats in the widest vector; tables are padded for it

int width_of(Isa isa) { return isa == Isa::avx512 ? 16 : isa == Isa::avx2 ? 8 : 4; }
int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < 1000.0 ? hz * 3.0 / 200.0 : 15.0 + 27.0 * std::log(hz / 1000.0) / std::log(6.4);
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < 15.0 ? mel * 200.0 / 3.0 : 1000.0 * std::pow(6.4, (mel - 15.0) / 27.0);
}

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

void check(const MelConfig& c) {
  require(c.fft_size >= 128 && c.fft_size <= 16384 && (c.fft_size & (c.fft_size - 1)) == 0,
          "mel config: fft_size: expected a power of two from 128 to 16384");
  require(c.sample_rate_hz > 0, "mel config: sample_rate_hz: expected above 0");
  require(c.window_samples >= 1 && c.window_samples <= c.fft_size,
          "mel config: window_samples: expected 1 to fft_size");
  require(c.hop_samples >= 1, "mel config: hop_samples: expected 1 or more");
  require(c.bands >= 1 && c.bands <= c.fft_size / 2, "mel config: bands: expected 1 to half of fft_size");
  require(c.low_hz >= 0 && c.low_hz < c.high_hz && c.high_hz <= c.sample_rate_hz / 2.0,
          "mel config: low_hz, high_hz: expected 0 <= low_hz < high_hz <= half the sample rate");
  require(c.floor >= 1e-30f && c.floor <= 1.0f, "mel config: floor: expected 1e-30 to 1");
  require(c.level.start_s > 0 && c.level.memory_s > 0 && c.level.gate_below >= 0 && c.level.gated_slowdown >= 1,
          "mel config: level: expected start_s and memory_s above 0, gate_below 0 or more, gated_slowdown 1 or more");
}

}  // namespace

MelPlan::MelPlan(const MelConfig& config, Isa isa) : config_(config) {
  check(config);
  require(can_run(isa), "mel: this machine does not run the instruction set that was asked for");
  switch (isa) {
    case Isa::baseline: transform_ = baseline::mel_transform, clean_ = baseline::mel_clean; break;
    case Isa::avx2: transform_ = avx2::mel_transform, clean_ = avx2::mel_clean; break;
    case Isa::avx512: transform_ = avx512::mel_transform, clean_ = avx512::mel_clean; break;
  }
  const int width = width_of(isa);
  const int n = config.fft_size, half = n / 2, quarter = half / 4;
  constexpr double tau = 2.0 * std::numbers::pi;

  window_ = AlignedBuffer<float>(round_up(config.window_samples, 2 * max_width));
  for (int i = 0; i < config.window_samples; ++i)
    window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(tau * i / config.window_samples));

  // In the pass of stride s, over blocks of m = half / s points, element r has the root exp(-2 pi i (r / s) / m).
  std::vector<std::complex<double>> roots;
  for (int stride = 1; stride * 4 <= half; stride *= 4)
    for (int r = 0; r < quarter; ++r) roots.push_back(std::polar(1.0, -tau * (r / stride * stride) / half));
  pass_twiddles_ = AlignedBuffer<float>(roots.size() * 6);
  for (std::size_t i = 0; i < roots.size(); ++i) {
    float* pass = pass_twiddles_.data() + i / quarter * 6 * quarter + i % quarter;
    for (int power = 1; power <= 3; ++power) {
      const auto w = std::polar(1.0, power * std::arg(roots[i]));
      pass[(2 * power - 2) * quarter] = static_cast<float>(w.real());
      pass[(2 * power - 1) * quarter] = static_cast<float>(w.imag());
    }
  }
  real_twiddles_ = AlignedBuffer<float>(half);
  for (int k = 0; k < half / 2; ++k) {
    real_twiddles_[k] = static_cast<float>(std::cos(tau * k / n));
    real_twiddles_[half / 2 + k] = static_cast<float>(-std::sin(tau * k / n));
  }

  // real_spectrum leaves twice the amplitude, so half (or a quarter, of the power) stands in the weights.
  const double unit = config.spectrum == MelSpectrum::magnitude ? 0.5 : 0.25;
  const int padded = round_up(config.bands, width);
  const double low = hz_to_mel(config.low_hz, config.scale), high = hz_to_mel(config.high_hz, config.scale);
  const auto edge = [&](int i) { return mel_to_hz(low + (high - low) * i / (config.bands + 1), config.scale); };
  band_start_ = AlignedBuffer<std::int32_t>(padded);
  band_steps_ = AlignedBuffer<std::int32_t>(padded);
  std::vector<float> weights;
  for (int band = 0; band < padded; ++band) {
    int start = half + 1, end = 0;
    std::vector<float> row(half + 1, 0.0f);
    if (band < config.bands) {
      const double left = edge(band), centre = edge(band + 1), right = edge(band + 2);
      const double height = unit * (config.scale == MelScale::slaney ? 2.0 / (right - left) : 1.0);
      for (int k = 0; k <= half; ++k) {
        const double hz = static_cast<double>(k) * config.sample_rate_hz / n;
        const double value = std::min((hz - left) / (centre - left), (right - hz) / (right - centre));
        if (value <= 0.0) continue;
        row[k] = static_cast<float>(height * value);
        start = std::min(start, k), end = k + 1;
      }
    }
    if (end == 0) start = 0, end = 1;  // no bin: one weight of zero
    const int steps = (end - start + width - 1) / width;
    band_start_[band] = start;
    band_steps_[band] = steps;
    for (int k = start; k < start + steps * width; ++k) weights.push_back(k <= half ? row[k] : 0.0f);
  }
  band_weights_ = AlignedBuffer<float>(weights.size());
  std::copy(weights.begin(), weights.end(), band_weights_.data());

  tables_ = {.window_samples = config.window_samples,
             .fft_size = n,
             .bands_padded = padded,
             .magnitude = config.spectrum == MelSpectrum::magnitude,
             .floor = config.floor,
             .window = window_.data(),
             .pass_twiddles = pass_twiddles_.data(),
             .real_twiddles = real_twiddles_.data(),
             .band_start = band_start_.data(),
             .band_steps = band_steps_.data(),
             .band_weights = band_weights_.data()};
}

MelStream::MelStream(std::shared_ptr<const MelPlan> plan) : plan_(std::move(plan)) {
  const MelConfig& c = plan_->config();
  // A hop may be longer than the window: then the frame holds the whole hop and only its end is transformed.
  frame_ = AlignedBuffer<float>(std::max(c.window_samples, c.hop_samples) + 2 * max_width);
  work_ = AlignedBuffer<float>(2 * c.fft_size + 8 * max_width);
  bands_ = AlignedBuffer<float>(plan_->tables_.bands_padded);
  hops_per_s_ = static_cast<double>(c.sample_rate_hz) / c.hop_samples;
  reset();
}

void MelStream::reset() noexcept {
  frame_.fill_zero();
  filled_ = 0;
  level_ = plan_->config().level.start_level;
  heard_ = plan_->config().level.start_s * hops_per_s_;
  replaced_ = 0;
}

std::size_t MelStream::hops_for(std::size_t n) const noexcept { return (filled_ + n) / plan_->config().hop_samples; }

std::size_t MelStream::push(const float* audio, std::size_t n, float* mel) noexcept {
  const MelConfig& c = plan_->config();
  const std::size_t hop = c.hop_samples, length = std::max(c.window_samples, c.hop_samples);
  std::size_t rows = 0;
  while (n > 0) {
    const std::size_t take = std::min(n, hop - filled_);
    replaced_ += plan_->clean_(audio, take, frame_.data() + (length - hop) + filled_);
    audio += take, n -= take, filled_ += take;
    if (filled_ < hop) break;
    emit(mel + rows++ * c.bands);
    std::copy(frame_.data() + hop, frame_.data() + length, frame_.data());
    filled_ = 0;
  }
  return rows;
}

void MelStream::emit(float* row) noexcept {
  const MelConfig& c = plan_->config();
  const int skipped = std::max(0, c.hop_samples - c.window_samples);
  plan_->transform_(plan_->tables_, frame_.data() + skipped, work_.data(), bands_.data());
  if (!c.level.enabled) {
    std::copy_n(bands_.data(), c.bands, row);
    return;
  }
  double sums[4] = {};  // apart, so that the additions overlap
  for (int i = 0; i < c.bands; ++i) sums[i & 3] += bands_[i];
  const double hop_level = (sums[0] + sums[1] + sums[2] + sums[3]) / c.bands;
  if (hop_level >= c.level.silence_level) {
    const double weight = hop_level >= level_ - c.level.gate_below ? 1.0 : 1.0 / c.level.gated_slowdown;
    heard_ = std::min(heard_ + weight, std::max(1.0, c.level.memory_s * hops_per_s_));
    level_ += weight / std::max(heard_, 1.0) * (hop_level - level_);
  }
  const float level = static_cast<float>(level_);
  for (int i = 0; i < c.bands; ++i) row[i] = bands_[i] - level;
}

}  // namespace rtgraph::kernels
