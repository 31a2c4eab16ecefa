// audio.speech_gate: speech or not, every 10 ms, from what tells it from noise: voicing, and a spectrum that keeps changing.
//
// The rule and its numbers are described in nodes/audio/speech_gate.py. 16 kHz; no look-ahead; one hop costs about 7 us.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/mel/mel.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

constexpr int kHop = 160;  // samples, 10 ms
constexpr double kSampleNs = 62'500.0;

// How periodic the last 40 ms are below 1 kHz: the largest normalised autocorrelation at the lags of 70 to 400 Hz, 0..1.
class Periodicity {
 public:
  Periodicity() {
    double sum = 0;
    for (int i = 0; i < kTaps; ++i) {  // a windowed sinc, cut-off 1 kHz
      const double t = (i - (kTaps - 1) / 2.0) / 8.0;
      const double window = 0.54 - 0.46 * std::cos(2 * std::numbers::pi * i / (kTaps - 1));
      sum += filter_[i] = static_cast<float>(std::sin(std::numbers::pi * t) / (std::numbers::pi * t) * window);
    }
    for (float& tap : filter_) tap = static_cast<float>(tap / sum);
  }

  // samples [n] 16 kHz, finite.
  void push(const float* samples, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
      std::copy(recent_.begin() + 1, recent_.end(), recent_.begin());
      recent_.back() = samples[i];
      if (++phase_ < kDecimation) continue;
      phase_ = 0;
      float low = 0;
      for (int tap = 0; tap < kTaps; ++tap) low += filter_[tap] * recent_[tap];
      high_passed_ = low - last_low_ + 0.9f * high_passed_;  // 65 Hz: mains hum is periodic, too
      last_low_ = low;
      std::copy(window_.begin() + 1, window_.end(), window_.begin());
      window_.back() = high_passed_;
    }
  }

  float value() const noexcept {
    std::array<float, kWindow + 1> energy{};  // of the first i samples
    for (int i = 0; i < kWindow; ++i) energy[i + 1] = energy[i] + window_[i] * window_[i];
    float best = 0;
    for (int lag = kShortestLag; lag <= kLongestLag; ++lag) {
      float product = 0;
      for (int i = 0; i + lag < kWindow; ++i) product += window_[i] * window_[i + lag];
      const float both = energy[kWindow - lag] * (energy[kWindow] - energy[lag]);
      best = std::max(best, product / std::sqrt(both + 1e-9f));
    }
    return best;
  }

 private:
  static constexpr int kTaps = 24, kDecimation = 4, kWindow = 160, kShortestLag = 10, kLongestLag = 57;  // at 4 kHz

  std::array<float, kTaps> filter_{}, recent_{};
  std::array<float, kWindow> window_{};
  int phase_ = 0;
  float last_low_ = 0, high_passed_ = 0;
};

// What the bands of the spectrum say: how far they stand over the noise, and how fast their shape changes. In nats.
class Spectrum {
 public:
  static constexpr int kBands = 24, kLowBands = 10;  // the low ones reach up to 1 kHz

  // bands [kBands]: natural log of the magnitude.
  void push(const float* bands) noexcept {
    for (int b = 0; b < kBands; ++b) {
      const float magnitude = std::exp(bands[b]);
      level_[b] += (heard_ < kFirst ? 1.0f : 0.4f) * (magnitude - level_[b]);
    }
    // The first windows begin before the stream and are too quiet to be a floor.
    if (++heard_ <= kFirst) return;
    track_floor();
    change_ += 0.08f * (shape_change() - change_);
  }

  float over_noise() const noexcept { return mean_over_noise(kBands); }
  float low_over_noise() const noexcept { return mean_over_noise(kLowBands); }
  float change() const noexcept { return change_; }

 private:
  static constexpr int kFirst = 4, kBlockHops = 10, kBlocks = 12, kLag = 6;
  using Bands = std::array<float, kBands>;

  // Minimum statistics (R. Martin, IEEE Trans. Speech and Audio Processing 9(5), 2001): the floor is the least smoothed
  // level of the last 1.2 s, times what the minimum of noise lies below its mean.
  void track_floor() noexcept {
    const auto oldest_first = static_cast<std::size_t>(hop_ / kBlockHops % kBlocks);
    if (hop_ % kBlockHops == 0) minima_[oldest_first].fill(std::numeric_limits<float>::infinity());
    ++hop_;
    for (int b = 0; b < kBands; ++b) {
      minima_[oldest_first][b] = std::min(minima_[oldest_first][b], level_[b]);
      float least = std::numeric_limits<float>::infinity();
      for (const Bands& block : minima_) least = std::min(least, block[b]);
      floor_[b] = std::max(1.5f * least, 3e-3f);
    }
  }

  // The mean difference to the spectrum of 60 ms ago. The floor is added to both, so that noise has one shape, and the
  // mean taken off, so that a swelling breath has, too.
  float shape_change() noexcept {
    Bands shape;
    float mean = 0;
    for (int b = 0; b < kBands; ++b) mean += shape[b] = std::log(level_[b] + floor_[b]);
    mean /= kBands;
    Bands& before = shapes_[static_cast<std::size_t>(hop_ % kLag)];
    float difference = 0;
    for (int b = 0; b < kBands; ++b) {
      shape[b] -= mean;
      difference += std::abs(shape[b] - before[b]);
    }
    before = shape;
    return hop_ > kLag ? difference / kBands : 0.0f;
  }

  float mean_over_noise(int bands) const noexcept {
    float sum = 0;
    for (int b = 0; b < bands; ++b) sum += std::clamp(std::log(level_[b] / floor_[b]), 0.0f, 3.0f);
    return sum / static_cast<float>(bands);
  }

  static std::array<Bands, kBlocks> no_minima() noexcept {
    std::array<Bands, kBlocks> none;
    for (Bands& block : none) block.fill(std::numeric_limits<float>::infinity());
    return none;
  }
  static Bands ones() noexcept {
    Bands all;
    all.fill(1.0f);
    return all;
  }

  Bands level_{}, floor_ = ones();
  std::array<Bands, kBlocks> minima_ = no_minima();
  std::array<Bands, kLag> shapes_{};
  int64_t heard_ = 0, hop_ = 0;
  float change_ = 0;
};

struct Ramp {
  float attack_hops, hold_hops, release_hops;
};

class SpeechGate final : public Node {
 public:
  explicit SpeechGate(Ramp ramp) : mel_(std::make_shared<kernels::MelPlan>(mel_config())), ramp_(ramp) {}

  void reset() override {
    mel_.reset();
    periodicity_ = {};
    spectrum_ = {};
    filled_ = voiced_hops_ = 0;
    open_ = false;
    held_hops_ = speech_ = 0;
  }

  int process(Context ctx) noexcept override {
    const float* audio = ctx.input<float>(0);
    const int64_t newest_ns = ctx.timestamp_ns();
    std::size_t left = ctx.input_size<float>(0);
    while (left > 0) {
      const std::size_t take = std::min<std::size_t>(left, kHop - filled_);
      float clean[kHop];
      std::transform(audio, audio + take, clean, [](float x) { return std::abs(x) <= 1e6f ? x : 0.0f; });
      periodicity_.push(clean, take);
      float bands[Spectrum::kBands];
      const bool complete = mel_.push(clean, take, bands) > 0;
      audio += take, left -= take, filled_ = complete ? 0 : filled_ + static_cast<int>(take);
      if (!complete) break;
      spectrum_.push(bands);
      decide();
      ctx.output<float>(0)[0] = speech_;
      ctx.set_timestamp_ns(newest_ns - std::llround(static_cast<double>(left) * kSampleNs));
      ctx.emit();
    }
    return RTGRAPH_OK;
  }

 private:
  static kernels::MelConfig mel_config() {
    kernels::MelConfig c;
    c.bands = Spectrum::kBands;
    c.low_hz = 80, c.high_hz = 7600;
    c.scale = kernels::MelScale::htk;
    c.floor = 1e-6f;
    c.level.enabled = false;
    return c;
  }

  void decide() noexcept {
    const float periodic = periodicity_.value(), change = spectrum_.change();
    const float over = spectrum_.over_noise(), low_over = spectrum_.low_over_noise();
    voiced_hops_ = periodic >= 0.65f && low_over >= 1.0f ? voiced_hops_ + 1 : 0;
    const bool begins = voiced_hops_ >= 2 || (change >= 0.35f && over >= 0.8f);
    const bool goes_on = (periodic >= 0.45f && low_over >= 0.6f) || (change >= 0.2f && over >= 0.5f);
    if (begins || (open_ && goes_on)) {
      open_ = true;
      held_hops_ = 0;
    } else if (open_) {
      open_ = ++held_hops_ <= ramp_.hold_hops;
    }
    speech_ = open_ ? std::min(1.0f, speech_ + 1.0f / ramp_.attack_hops) : std::max(0.0f, speech_ - 1.0f / ramp_.release_hops);
  }

  kernels::MelStream mel_;
  Periodicity periodicity_;
  Spectrum spectrum_;
  const Ramp ramp_;
  int filled_ = 0;       // samples of the current hop that have come
  int voiced_hops_ = 0;  // one after the other
  bool open_ = false;
  float held_hops_ = 0;  // since speech was last heard
  float speech_ = 0;
};

}  // namespace

void add_speech_gate(py::module_& m) {
  m.def(
      "speech_gate",
      [](float attack_hops, float hold_hops, float release_hops) {
        return capsule<SpeechGate>(Ramp{attack_hops, hold_hops, release_hops});
      },
      py::arg("attack_hops"), py::arg("hold_hops"), py::arg("release_hops"));
}

}  // namespace rtgraph::nodes
