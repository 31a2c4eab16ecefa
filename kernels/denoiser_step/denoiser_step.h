// Owns DenoiserWeights (the conditional denoiser's and its expression head's weights, packed) and DenoiserStep (one
// evaluation of both, as one call without Python).
//
// The network is models/one_step_denoiser.py. With int8 the products that face the outside (noise, condition, latent,
// head) stay bfloat16.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/common/aligned.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/weight_map.h"

namespace rtgraph::kernels {

// As DenoiserConfig in models/config.py.
struct DenoiserShape {
  int hidden_width, latent_width, emotions, width, blocks, mlp_width;
  float norm_epsilon;
  int head_width, weights, angles, regions;

  int frame_width() const noexcept { return weights + angles; }
};

struct DenoiserInputs {
  const float* noise;              // [streams, latent_width], Gaussian
  const float* hidden;             // [streams, hidden_width], from the encoder
  const float* previous;           // [streams, latent_width], the latent of the frame before; null: zeros
  const float* emotion = nullptr;  // [streams, emotions], null: zeros
};

struct DenoiserOutputs {
  float* latent;      // [streams, latent_width]
  float* frame;       // [streams, weights + angles]: weights 0..1, angles in radians
  float* confidence;  // [streams, regions] 0..1
};

// Read-only once it is built: it may serve any number of steps and threads.
class DenoiserWeights {
 public:
  // Throws std::invalid_argument where weights and shape disagree, std::bad_alloc.
  DenoiserWeights(const DenoiserShape& shape, const WeightMap& weights, Precision precision,
                  InstructionSet set = best_instruction_set());

  const DenoiserShape& shape() const noexcept { return shape_; }
  std::size_t bytes() const noexcept;
  // Reads every packed weight once and does nothing else: the floor of a step on this machine. Returns a checksum.
  std::int32_t read() const noexcept;

 private:
  friend class DenoiserStep;
  struct Block {
    const float* gain;
    Linear gate_up, down;
  };

  template <class Visit>
  void each_linear(Visit visit) const;

  DenoiserShape shape_;
  Linear noise_, condition_, modulation_, out_, head_inner_, head_out_;
  std::vector<Block> blocks_;
  AlignedBuffer<float> gains_;  // [blocks + 1, width]
};

class DenoiserStep {
 public:
  // Throws std::bad_alloc.
  explicit DenoiserStep(std::shared_ptr<const DenoiserWeights> weights, int streams = 1);

  // One thread at a time; never blocks, allocates or throws. An input row that holds NaN, infinity or a value beyond
  // 1e6 is replaced by the last good one of its stream (zeros before the first).
  void step(const DenoiserInputs& inputs, const DenoiserOutputs& outputs) noexcept;

  // Forgets a stream's last good inputs. Same thread as step.
  void reset(int stream) noexcept;

  const DenoiserWeights& weights() const noexcept { return *weights_; }
  const DenoiserShape& shape() const noexcept { return weights_->shape(); }
  int streams() const noexcept { return streams_; }
  std::int64_t replaced_inputs() const noexcept { return replaced_; }

 private:
  std::shared_ptr<const DenoiserWeights> weights_;
  int streams_;
  AlignedBuffer<float> noise_in_, context_;    // last good noise; last good hidden, previous, emotion side by side
  AlignedBuffer<float> x_, conditioned_, modulated_, inner_, head_, face_;
  AlignedBuffer<std::byte> workspace_;
  std::int64_t replaced_ = 0;
};

}  // namespace rtgraph::kernels
