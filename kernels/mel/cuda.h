// Owns the streaming log-mel on a GPU: many streams a launch, all state on the device, fit for a CUDA graph.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/common/cuda.h"
#include "kernels/mel/mel.h"

namespace rtgraph::kernels {

// Device pointers into a MelBatch.
struct MelBatchTables {
  int window_samples, hop_samples, frame_samples, bands;
  bool magnitude;
  float floor;
  MelLevelConfig level;
  double hops_per_s;
  const float* window;             // [window_samples]
  const float* pass_twiddles;      // as in MelTables
  const float* real_twiddles;      // as in MelTables
  const std::int32_t* band_start;  // [bands] first bin
  const std::int32_t* band_first;  // [bands + 1] into band_weights
  const float* band_weights;
};

struct MelBatchState {
  float* frame;                    // [streams][frame_samples] the newest samples, the hop being filled last
  double* level;                   // [streams]
  double* heard;                   // [streams]
  std::int32_t* filled;            // [streams] samples of the current hop
  unsigned long long* replaced;    // [streams] broken samples
};

class MelBatch {
 public:
  // Allocates on the current device. fft_size is at most 2048 and hop_samples at most fft_size here; throws
  // std::invalid_argument where they are more, std::runtime_error where CUDA fails.
  MelBatch(const MelConfig& config, int streams);

  // Enqueues one launch; neither waits nor allocates. All pointers are the device's.
  // audio [streams][samples]; reset [streams] or null: a stream flagged non-zero starts anew before these samples;
  // mel [streams][rows][bands] with rows = rows_for(samples), of which stream s fills the first hops[s];
  // hops [streams].
  void push(const float* audio, int samples, const std::uint8_t* reset, float* mel, std::int32_t* hops,
            cudaStream_t stream);

  int streams() const noexcept { return streams_; }
  int bands() const noexcept { return tables_.bands; }
  // The most hops that `samples` can complete.
  int rows_for(int samples) const noexcept { return (samples + tables_.hop_samples - 1) / tables_.hop_samples; }
  // Broken samples of each stream, on the device: [streams].
  const unsigned long long* replaced() const noexcept { return replaced_.data(); }

 private:
  int fft_size_, streams_;
  DeviceBuffer<float> window_, pass_twiddles_, real_twiddles_, band_weights_, frame_;
  DeviceBuffer<std::int32_t> band_start_, band_first_, filled_;
  DeviceBuffer<double> level_, heard_;
  DeviceBuffer<unsigned long long> replaced_;
  MelBatchTables tables_{};
  MelBatchState state_{};
};

}  // namespace rtgraph::kernels
