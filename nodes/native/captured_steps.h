// The steps of networks and avatar on a GPU, as the native nodes call them: the same names as the CPU's in kernels/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "cuda_graph.h"
#include "kernels/decode/decode.h"
#include "kernels/denoiser_step/denoiser_step.h"
#include "kernels/encoder_step/encoder_step.h"
#include "kernels/eye_encoder_step/eye_encoder_step.h"

namespace rtgraph::nodes {

// What all have in common: the graph, and its last failure.
class CapturedStep {
 public:
  explicit CapturedStep(CudaGraph graph) : graph_(std::move(graph)) {}

  // Null, or why the last step gave nothing new.
  const char* failure() const noexcept { return failure_; }

 protected:
  bool run() noexcept { return (failure_ = graph_.run()) == nullptr; }

  CudaGraph graph_;

 private:
  const char* failure_ = nullptr;
};

// One that remembers: a reset that waits for the next frame, and the count of broken inputs.
class CapturedStreamStep : public CapturedStep {
 public:
  explicit CapturedStreamStep(CudaGraph graph)
      : CapturedStep(std::move(graph)), reset_(graph_.buffer<bool>("reset", 1)), replaced_(graph_.buffer<std::int32_t>("replaced", 1)) {}

  void reset(int) noexcept { *reset_ = true; }  // so it begins, too: capturing ran the kernels once
  std::int64_t replaced_inputs() const noexcept { return *replaced_; }

 protected:
  static void take(const float* given, float* host, int n) noexcept {
    if (given)
      std::copy_n(given, n, host);
    else
      std::fill_n(host, n, 0.0f);
  }
  bool run() noexcept {
    const bool ran = CapturedStep::run();
    *reset_ = false;
    return ran;
  }

 private:
  bool* reset_;
  std::int32_t* replaced_;
};

template <class Step>
inline constexpr bool kOnGpu = std::is_base_of_v<CapturedStep, Step>;

// kernels/encoder_step/triton.py for one stream.
class CapturedEncoderStep final : public CapturedStreamStep {
 public:
  CapturedEncoderStep(CudaGraph graph, const kernels::EncoderShape& shape)
      : CapturedStreamStep(std::move(graph)),
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
class CapturedDenoiserStep final : public CapturedStreamStep {
 public:
  CapturedDenoiserStep(CudaGraph graph, const kernels::DenoiserShape& shape)
      : CapturedStreamStep(std::move(graph)),
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

// kernels/eye_encoder_step/device.py for one pair of pictures.
class CapturedEyeEncoderStep final : public CapturedStep {
 public:
  CapturedEyeEncoderStep(CudaGraph graph, int features, int height, int width)
      : CapturedStep(std::move(graph)),
        features_count_(2 * features),
        pixels_(static_cast<std::size_t>(height) * width),
        images_(graph_.buffer<std::uint8_t>("images", 2 * pixels_)),
        features_(graph_.buffer<float>("features", static_cast<std::size_t>(features_count_))),
        state_(graph_.buffer<float>("state", kStates)),
        mirrored_(graph_.buffer<float>("mirrored", 2)) {}

  void step(const std::uint8_t* left, const std::uint8_t* right, float* features, float* state, float* mirrored) noexcept {
    std::copy_n(left, pixels_, images_);
    std::copy_n(right, pixels_, images_ + pixels_);
    if (!run()) return;
    std::copy_n(features_, features_count_, features);
    std::copy_n(state_, kStates, state);
    std::copy_n(mirrored_, 2, mirrored);
  }

 private:
  static constexpr int kStates = 2 * kernels::EyeEncoderStep::states;
  const int features_count_;
  const std::size_t pixels_;
  std::uint8_t* images_;
  float *features_, *state_, *mirrored_;
};

// kernels/decode/cuda.py for one person; which outputs it has was settled when it was captured.
class CapturedDecoder final : public CapturedStep {
 public:
  CapturedDecoder(CudaGraph graph, int inputs, int vertices, int gaussians, bool mesh)
      : CapturedStep(std::move(graph)),
        inputs_count_(inputs),
        vertex_floats_(mesh ? 3 * vertices : 0),
        gaussian_floats_(kRow * gaussians),
        inputs_(graph_.buffer<float>("inputs", static_cast<std::size_t>(inputs))),
        vertices_(mesh ? graph_.buffer<float>("vertices", static_cast<std::size_t>(vertex_floats_)) : nullptr),
        normals_(mesh ? graph_.buffer<float>("normals", static_cast<std::size_t>(vertex_floats_)) : nullptr),
        gaussians_(gaussians ? graph_.buffer<float>("gaussians", static_cast<std::size_t>(gaussian_floats_)) : nullptr) {}

  void reset() noexcept {}  // what it remembers is for broken inputs, which never reach it

  // out: Gaussians in rows of 14, colour and opacity included.
  void step(const float* inputs, const kernels::DecodeOutputs& out) noexcept {
    std::copy_n(inputs, inputs_count_, inputs_);
    if (!run()) return;
    std::copy_n(vertices_, vertex_floats_, out.vertices);
    std::copy_n(normals_, vertex_floats_, out.normals);
    std::copy_n(gaussians_, gaussian_floats_, out.gaussian_mean);
  }

 private:
  static constexpr int kRow = 14;
  const int inputs_count_, vertex_floats_, gaussian_floats_;
  float *inputs_, *vertices_, *normals_, *gaussians_;
};

}  // namespace rtgraph::nodes
