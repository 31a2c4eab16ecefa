// Owns the denoiser's step on a CPU: packing, then the chain of fused products.
#include "kernels/denoiser_step/denoiser_step.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/linear/step_support.h"

namespace rtgraph::kernels {

namespace {

int context_width(const DenoiserShape& s) { return s.hidden_width + s.latent_width + s.emotions; }
int face_width(const DenoiserShape& s) { return s.frame_width() + s.regions; }

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

}  // namespace

DenoiserWeights::DenoiserWeights(const DenoiserShape& s, const WeightMap& weights, Precision precision,
                                 InstructionSet set)
    : shape_(s) {
  const Precision outer = precision == Precision::int8 ? Precision::bfloat16 : precision;
  const auto linear = [&](const std::string& name, int columns, int inputs, Precision p,
                          Activation activation = Activation::none) {
    const float* weight = weights.get(name + ".weight", {columns, inputs});
    const float* bias = weights.get(name + ".bias", {columns});
    return Linear(weight, bias, columns, inputs, p, activation, set);
  };
  noise_ = linear("noise", s.width, s.latent_width, outer);
  out_ = linear("out", s.latent_width, s.width, outer);
  head_inner_ = linear("head.inner", s.head_width, s.latent_width, outer, Activation::silu);
  head_out_ = linear("head.out", face_width(s), s.head_width, outer);

  const auto context = weights.join({"hidden.weight", "previous.weight", "emotion.weight"}, s.width,
                                    {s.hidden_width, s.latent_width, s.emotions});
  condition_ = Linear(context.data(), weights.get("hidden.bias", {s.width}), s.width, context_width(s), outer,
                      Activation::silu, set);

  gains_ = AlignedBuffer<float>(static_cast<std::size_t>(s.blocks + 1) * s.width);
  const auto keep_gain = [&](const std::string& name, int index) {
    float* gain = gains_.data() + static_cast<std::size_t>(index) * s.width;
    std::copy_n(weights.get(name, {s.width}), s.width, gain);
    return gain;
  };
  std::vector<std::string> modulations;
  std::vector<float> biases;
  for (int i = 0; i < s.blocks; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    modulations.push_back(block + "modulation.weight");
    const float* bias = weights.get(block + "modulation.bias", {2 * s.width});
    biases.insert(biases.end(), bias, bias + 2 * s.width);
    const auto gate_up =
        weights.stack({block + "mlp.gate.weight", block + "mlp.up.weight"}, {s.mlp_width, s.mlp_width}, s.width);
    blocks_.push_back(Block{
        .gain = keep_gain(block + "norm.weight", i),
        .gate_up = Linear(gate_up.data(), nullptr, 2 * s.mlp_width, s.width, precision, Activation::swiglu, set),
        .down = Linear(weights.get(block + "mlp.down.weight", {s.width, s.mlp_width}), nullptr, s.width, s.mlp_width,
                       precision, Activation::none, set),
    });
  }
  keep_gain("norm.weight", s.blocks);
  // Every block reads the same condition: their modulations are one product.
  const auto modulation = weights.stack(modulations, std::vector<std::int64_t>(s.blocks, 2 * s.width), s.width);
  modulation_ = Linear(modulation.data(), biases.data(), 2 * s.width * s.blocks, s.width, precision, Activation::none, set);
}

template <class Visit>
void DenoiserWeights::each_linear(Visit visit) const {
  for (const Linear* linear : {&noise_, &condition_, &modulation_}) visit(*linear);
  for (const Block& block : blocks_)
    for (const Linear* linear : {&block.gate_up, &block.down}) visit(*linear);
  for (const Linear* linear : {&out_, &head_inner_, &head_out_}) visit(*linear);
}

std::size_t DenoiserWeights::bytes() const noexcept {
  std::size_t bytes = 0;
  each_linear([&](const Linear& linear) { bytes += linear.bytes(); });
  return bytes;
}

std::int32_t DenoiserWeights::read() const noexcept {
  std::int32_t checksum = 0;
  each_linear([&](const Linear& linear) { checksum ^= linear.read(); });
  return checksum;
}

DenoiserStep::DenoiserStep(std::shared_ptr<const DenoiserWeights> weights, int streams)
    : weights_(std::move(weights)), streams_(streams) {
  const DenoiserShape& s = weights_->shape_;
  const auto floats = [&](int per_stream) { return AlignedBuffer<float>(static_cast<std::size_t>(streams) * per_stream); };
  noise_in_ = floats(s.latent_width);
  context_ = floats(context_width(s));
  x_ = floats(s.width);
  conditioned_ = floats(s.width);
  modulated_ = floats(2 * s.width * s.blocks);
  inner_ = floats(s.mlp_width);
  head_ = floats(s.head_width);
  face_ = floats(face_width(s));
  std::size_t largest = 0;
  weights_->each_linear([&](const Linear& l) { largest = std::max(largest, l.workspace_bytes(streams)); });
  workspace_ = AlignedBuffer<std::byte>(largest);
}

void DenoiserStep::reset(int stream) noexcept {
  const DenoiserShape& s = weights_->shape_;
  std::fill_n(noise_in_.data() + static_cast<std::size_t>(stream) * s.latent_width, s.latent_width, 0.0f);
  std::fill_n(context_.data() + static_cast<std::size_t>(stream) * context_width(s), context_width(s), 0.0f);
}

void DenoiserStep::step(const DenoiserInputs& in, const DenoiserOutputs& out) noexcept {
  const FlushDenormals flush;
  const DenoiserWeights& w = *weights_;
  const DenoiserShape& s = w.shape_;
  for (int stream = 0; stream < streams_; ++stream) {
    const auto take = [&](const float* values, int n, float* kept) {
      if (values)
        replaced_ += !accept(values + static_cast<std::size_t>(stream) * n, n, kept);
      else
        std::fill_n(kept, n, 0.0f);
    };
    float* context = context_.data() + static_cast<std::size_t>(stream) * context_width(s);
    take(in.noise, s.latent_width, noise_in_.data() + static_cast<std::size_t>(stream) * s.latent_width);
    take(in.hidden, s.hidden_width, context);
    take(in.previous, s.latent_width, context + s.hidden_width);
    take(in.emotion, s.emotions, context + s.hidden_width + s.latent_width);
  }

  const auto run = [&](const Linear& linear, const float* x, float* y, Linear::Arguments arguments = {}) {
    arguments.x = x;
    arguments.x_stride = linear.inputs();
    arguments.rows = streams_;
    arguments.epsilon = s.norm_epsilon;
    arguments.y = y;
    arguments.y_stride = arguments.residual_stride = linear.outputs();
    linear(arguments, workspace_.data());
  };
  run(w.condition_, context_.data(), conditioned_.data());
  run(w.modulation_, conditioned_.data(), modulated_.data());
  run(w.noise_, noise_in_.data(), x_.data());
  for (int i = 0; i < s.blocks; ++i) {
    const float* scale = modulated_.data() + static_cast<std::size_t>(i) * 2 * s.width;
    run(w.blocks_[i].gate_up, x_.data(), inner_.data(),
        {.gain = w.blocks_[i].gain, .scale = scale, .shift = scale + s.width, .modulation_stride = 2 * s.width * s.blocks});
    run(w.blocks_[i].down, inner_.data(), x_.data(), {.residual = x_.data()});
  }
  run(w.out_, x_.data(), out.latent, {.gain = w.gains_.data() + static_cast<std::size_t>(s.blocks) * s.width});
  run(w.head_inner_, out.latent, head_.data());
  run(w.head_out_, head_.data(), face_.data());

  for (int stream = 0; stream < streams_; ++stream) {
    const float* face = face_.data() + static_cast<std::size_t>(stream) * face_width(s);
    float* frame = out.frame + static_cast<std::size_t>(stream) * s.frame_width();
    std::transform(face, face + s.weights, frame, sigmoid);
    std::copy_n(face + s.weights, s.angles, frame + s.weights);
    std::transform(face + s.frame_width(), face + face_width(s),
                   out.confidence + static_cast<std::size_t>(stream) * s.regions, sigmoid);
  }
}

}  // namespace rtgraph::kernels
