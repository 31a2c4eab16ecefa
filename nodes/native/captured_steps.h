// The steps of encoder and denoiser on a GPU, as the native nodes call them: the same names as the CPU's in kernels/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "cuda_graph.h"
#include "kernels/denoiser_step/denoiser_step.h"
#include "kernels/encoder_step/encoder_step.h"

namespace rtgraph::nodes {

// What both have in common: a reset that waits for the next frame, the count of broken inputs, the last failure.
class CapturedStep {
 public:
  explicit CapturedStep(CudaGraph graph)
      : graph_(std::move(graph)), reset_(graph_.buffer<bool>("reset", 1)), replaced_(graph_.buffer<std::int32_t>("replaced", 1)) {}

  void reset(int) noexcept { *reset_ = true; }  // so it begins, too: capturing ran the kernels once
  std::int64_t replaced_inputs() const noexcept { return *replaced_; }
  // Null, or why the last step gave nothing new.
  const char* failure() const noexcept { return failure_; }

 protected:
  static void take(const float* given, float* host, int n) noexcept {
    if (given)
      std::copy_n(given, n, host);
    else
      std::fill_n(host, n, 0.0f);
  }
  bool run() noexcept {
    failure_ = graph_.run();
    *reset_ = false;
    return failure_ == nullptr;
  }

  CudaGraph graph_;

 private:
  bool* reset_;
  std::int32_t* replaced_;
  const char* failure_ = nullptr;
};

template <class Step>
inline constexpr bool kOnGpu = std::is_base_of_v<CapturedStep, Step>;

// kernels/encoder_step/triton.py for one stream.
class CapturedEncoderStep final : public CapturedStep {
 public:
  CapturedEncoderStep(CudaGraph graph, const kernels::EncoderShape& shape)
      : CapturedStep(std::move(graph)),
        shape_(shape),
        mel_(graph_.buffer<float>("mel", static_cast<std::size_t>(shape.hops_per_frame) * shape.mel_bands)),
        previous_(graph_.buffer<float>("previous", shape.latent_width)),
        eyes_(graph_.buffer<float>("eyes", shape.eye_features)),
        emotion_(graph_.buffer<float>("emotion", shape.emotions)),
        hidden_(graph_.buffer<float>("hidden", shape.hidden_width)),
        eyes_present_(graph_.buffer<bool>("eyes_present", 1)) {
    reset(0);
  }

  const kernels::EncoderShape& shape() const noexcept { return shape_; }

  void step(const kernels::EncoderInputs& in, float* hidden) noexcept {
    take(in.mel, mel_, shape_.hops_per_frame * shape_.mel_bands);
    take(in.previous, previous_, shape_.latent_width);
    take(in.eyes, eyes_, shape_.eye_features);
    take(in.emotion, emotion_, shape_.emotions);
    *eyes_present_ = in.eyes != nullptr;
    if (run()) std::copy_n(hidden_, shape_.hidden_width, hidden);
  }

 private:
  kernels::EncoderShape shape_;
  float *mel_, *previous_, *eyes_, *emotion_, *hidden_;
  bool* eyes_present_;
};

// kernels/denoiser_step/triton.py for one stream.
class CapturedDenoiserStep final : public CapturedStep {
 public:
  CapturedDenoiserStep(CudaGraph graph, const kernels::DenoiserShape& shape)
      : CapturedStep(std::move(graph)),
        shape_(shape),
        noise_(graph_.buffer<float>("noise", shape.latent_width)),
        hidden_(graph_.buffer<float>("hidden", shape.hidden_width)),
        previous_(graph_.buffer<float>("previous", shape.latent_width)),
        emotion_(graph_.buffer<float>("emotion", shape.emotions)),
        latent_(graph_.buffer<float>("latent", shape.latent_width)),
        frame_(graph_.buffer<float>("frame", static_cast<std::size_t>(shape.weights) + shape.angles)),
        confidence_(graph_.buffer<float>("confidence", shape.regions)) {
    reset(0);
  }

  const kernels::DenoiserShape& shape() const noexcept { return shape_; }

  void step(const kernels::DenoiserInputs& in, const kernels::DenoiserOutputs& out) noexcept {
    take(in.noise, noise_, shape_.latent_width);
    take(in.hidden, hidden_, shape_.hidden_width);
    take(in.previous, previous_, shape_.latent_width);
    take(in.emotion, emotion_, shape_.emotions);
    if (!run()) return;
    std::copy_n(latent_, shape_.latent_width, out.latent);
    std::copy_n(frame_, shape_.weights + shape_.angles, out.frame);
    std::copy_n(confidence_, shape_.regions, out.confidence);
  }

 private:
  kernels::DenoiserShape shape_;
  float *noise_, *hidden_, *previous_, *emotion_, *latent_, *frame_, *confidence_;
};

}  // namespace rtgraph::nodes
