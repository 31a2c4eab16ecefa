// Owns the streaming log-mel on a CPU: MelConfig (what a frame is), MelPlan (its tables), MelStream (a stream's state).
//
// The definitions (window, filterbank, level estimate) stand in reference.py and config.py, which this equals.
// Only construction allocates. A plan is read-only and may serve any number of streams and threads; a stream belongs to
// one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/common/aligned.h"
#include "kernels/common/isa.h"

namespace rtgraph::kernels {

enum class MelScale { slaney, htk };
enum class MelSpectrum { magnitude, power };

// Running level estimate, see LevelConfig in config.py. Levels in nats.
struct MelLevelConfig {
  bool enabled = true;
  double start_level = -5.0;
  double start_s = 0.5;
  double memory_s = 3.0;
  double silence_level = -8.0;
  double gate_below = 1.5;
  double gated_slowdown = 10.0;
};

struct MelConfig {
  int sample_rate_hz = 16000;
  int window_samples = 400;
  int hop_samples = 160;
  int fft_size = 512;
  int bands = 80;
  double low_hz = 20.0;
  double high_hz = 8000.0;
  MelScale scale = MelScale::slaney;
  MelSpectrum spectrum = MelSpectrum::magnitude;
  float floor = 1e-5f;
  MelLevelConfig level;
};

// What the SIMD code reads: plain data, pointers into a MelPlan.
struct MelTables {
  int window_samples;
  int fft_size;
  int bands_padded;               // bands rounded up to whole vectors
  bool magnitude;
  float floor;
  const float* window;            // [window_samples rounded up to 2 vectors], zeros behind
  const float* pass_twiddles;     // one radix-4 pass after the other: [6][fft_size / 8], re and im of w, w^2, w^3
  const float* real_twiddles;     // [2][fft_size / 4]: re and im of exp(-2 pi i k / fft_size)
  const std::int32_t* band_start; // [bands_padded] first bin
  const std::int32_t* band_steps; // [bands_padded] vectors of weights
  const float* band_weights;      // band after band, each padded to whole vectors
};

class MelPlan {
 public:
  // Throws std::invalid_argument where a value is out of the range that config.py states, or the machine lacks `isa`.
  explicit MelPlan(const MelConfig& config, Isa isa = best_isa());

  const MelConfig& config() const noexcept { return config_; }
  const MelTables& tables() const noexcept { return tables_; }

 private:
  friend class MelStream;
  // Windowed samples -> bands. frame [window] padded; work [4 * fft_size] 64-byte aligned; bands [bands_padded].
  using Transform = void (*)(const MelTables&, const float* frame, float* work, float* bands) noexcept;
  // Copies samples, broken ones as silence; returns how many were broken.
  using Clean = std::size_t (*)(const float* in, std::size_t n, float* out) noexcept;

  MelConfig config_;
  MelTables tables_{};
  AlignedBuffer<float> window_, pass_twiddles_, real_twiddles_, band_weights_;
  AlignedBuffer<std::int32_t> band_start_, band_steps_;
  Transform transform_ = nullptr;
  Clean clean_ = nullptr;
};

class MelStream {
 public:
  // Allocates what push needs. Throws std::bad_alloc.
  explicit MelStream(std::shared_ptr<const MelPlan> plan);

  // Rows that push of n samples will write.
  std::size_t hops_for(std::size_t n) const noexcept;

  // Takes n samples (any n; 16 kHz, -1..1), writes a row [bands] for every hop completed, returns the rows written.
  // Samples that are not finite or beyond 1e6 are taken as silence and counted. Output is always finite.
  std::size_t push(const float* audio, std::size_t n, float* mel) noexcept;

  // Back to the state of a new stream; the count of replaced samples starts again too.
  void reset() noexcept;

  const MelPlan& plan() const noexcept { return *plan_; }
  std::uint64_t replaced_samples() const noexcept { return replaced_; }
  double level() const noexcept { return level_; }  // nats

 private:
  void emit(float* row) noexcept;

  std::shared_ptr<const MelPlan> plan_;
  AlignedBuffer<float> frame_;  // the newest samples: window (history, then the hop being filled), zeros behind
  AlignedBuffer<float> work_;
  AlignedBuffer<float> bands_;
  std::size_t filled_ = 0;      // samples of the current hop that have come
  double hops_per_s_, level_, heard_;
  std::uint64_t replaced_ = 0;
};

}  // namespace rtgraph::kernels
