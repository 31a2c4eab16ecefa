// Owns EncoderWeights (the online encoder's weights, packed) and EncoderStep (one frame of it for a fixed number of
// streams, as one call without Python).
//
// The network is models/online_encoder.py. float32 keeps keys and values as float32, bfloat16 and int8 keep them as
// bfloat16. With int8 the stem, the conditions and the output projection (6 % of the weights) stay bfloat16: they see
// inputs of very different ranges side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/common/aligned.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/weight_map.h"

namespace rtgraph::kernels {

// As EncoderConfig in models/config.py.
struct EncoderShape {
  int mel_bands, hops_per_frame, stem_width, stem_kernel, frame_kernel;
  int width, layers, heads, mlp_width, window;
  double rotary_base;
  float norm_epsilon;
  int eye_features, emotions, style_width, latent_width, hidden_width;
};

// One frame of every stream. A pointer may be null where said; then that condition is absent for all streams.
struct EncoderInputs {
  const float* mel;                              // [streams, hops_per_frame, mel_bands]
  const float* previous;                         // [streams, latent_width], null: zeros
  const float* eyes = nullptr;                   // [streams, eye_features], null: no stream has eyes
  const std::uint8_t* eyes_present = nullptr;    // [streams], null: all have, where eyes is given
  const float* emotion = nullptr;                // [streams, emotions], null: zeros
  const float* style = nullptr;                  // [streams, style_width], null: zeros
  const std::uint8_t* reset = nullptr;           // [streams], not zero: the stream begins anew with this frame
};

// Read-only once it is built: it may serve any number of steps and threads.
class EncoderWeights {
 public:
  // Throws std::invalid_argument where weights and shape disagree, std::bad_alloc.
  EncoderWeights(const EncoderShape& shape, const WeightMap& weights, Precision precision,
                 InstructionSet set = best_instruction_set());

  const EncoderShape& shape() const noexcept { return shape_; }
  std::size_t bytes() const noexcept;
  // Reads every packed weight once and does nothing else: the floor of a step on this machine. Returns a checksum.
  std::int32_t read() const noexcept;

 private:
  friend class EncoderStep;
  struct Layer {
    const float* attention_gain;
    const float* mlp_gain;
    Linear qkv, out, gate_up, down;
  };

  template <class Visit>
  void each_linear(Visit visit) const;
  const float* final_gain() const noexcept { return gains_.data() + static_cast<std::size_t>(2 * shape_.layers) * shape_.width; }

  EncoderShape shape_;
  RingShape ring_;
  Rotary rotary_;
  AttentionStep attention_;
  Linear stem_, frame_, out_;
  std::vector<Layer> layers_;
  AlignedBuffer<float> gains_;  // [2 * layers + 1, width]
  AlignedBuffer<float> eyes_absent_;
};

class EncoderStep {
 public:
  // Throws std::bad_alloc.
  explicit EncoderStep(std::shared_ptr<const EncoderWeights> weights, int streams = 1);

  // hidden [streams, hidden_width]. One thread at a time; never blocks, allocates or throws.
  // An input row that holds NaN, infinity or a value beyond 1e6 is replaced: a mel hop by the hop before it, a
  // condition by its value in the frame before. It never reaches the state.
  void step(const EncoderInputs& inputs, float* hidden) noexcept;

  // Makes a stream as good as new. Same thread as step.
  void reset(int stream) noexcept;

  const EncoderWeights& weights() const noexcept { return *weights_; }
  const EncoderShape& shape() const noexcept { return weights_->shape(); }
  int streams() const noexcept { return streams_; }
  std::int64_t* positions() noexcept { return positions_.data(); }  // [streams]: the next frame's
  std::int64_t replaced_inputs() const noexcept { return replaced_; }

 private:
  struct Cache {
    AlignedBuffer<std::byte> keys, values;  // [streams] rings
  };

  void take_inputs(const EncoderInputs& inputs) noexcept;
  void run_stem(float* x) noexcept;
  void run_layer(int index, float* x) noexcept;

  std::shared_ptr<const EncoderWeights> weights_;
  int streams_;

  // State of each stream.
  std::vector<Cache> caches_;    // of each layer
  AlignedBuffer<std::int64_t> positions_;
  AlignedBuffer<float> mel_;     // [streams, stem_kernel - 1 + hops_per_frame, mel_bands]: the tail, then the new hops
  AlignedBuffer<float> hop_;     // [streams, mel_bands]: the newest good hop
  AlignedBuffer<float> token_;   // [streams, frame_kernel * stem_width + conditions]: what the frame product takes

  // Scratch of one step.
  AlignedBuffer<float> stem_in_, stem_out_, x_, qkv_, attended_, inner_, cosine_, sine_, attention_workspace_;
  AlignedBuffer<std::byte> workspace_;
  std::int64_t replaced_ = 0;
};

}  // namespace rtgraph::kernels
