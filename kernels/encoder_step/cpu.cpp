// Owns the encoder's step on a CPU: packing, then the chain of fused products and attention.
#include "kernels/encoder_step/encoder_step.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/linear/step_support.h"

namespace rtgraph::kernels {

namespace {

int condition_width(const EncoderShape& s) { return s.eye_features + s.emotions + s.style_width + s.latent_width; }
int token_width(const EncoderShape& s) { return s.frame_kernel * s.stem_width + condition_width(s); }

// A convolution's weight [out, in, kernel] as the matrix [out, kernel * in] that takes its inputs in order of time.
std::vector<float> in_order_of_time(const float* weight, int out, int in, int kernel) {
  std::vector<float> matrix(static_cast<std::size_t>(out) * in * kernel);
  for (int o = 0; o < out; ++o)
    for (int i = 0; i < in; ++i)
      for (int k = 0; k < kernel; ++k)
        matrix[(static_cast<std::size_t>(o) * kernel + k) * in + i] =
            weight[(static_cast<std::size_t>(o) * in + i) * kernel + k];
  return matrix;
}

}  // namespace

EncoderWeights::EncoderWeights(const EncoderShape& s, const WeightMap& weights, Precision precision,
                               InstructionSet set)
    : shape_(s),
      ring_{s.heads, s.width / s.heads, s.window, precision != Precision::float32},
      rotary_(ring_.head_size, s.rotary_base),
      attention_(attention_step(base_isa(set))) {
  if (ring_.head_size % 16 != 0 || ring_.head_size > 256) {
    std::string message = "encoder_step: head size: expected a multiple of 16 to 256, got ";
    message += std::to_string(ring_.head_size);
    message += " (width / heads)";
    throw std::invalid_argument(message);
  }
  const Precision outer = precision == Precision::int8 ? Precision::bfloat16 : precision;
  const auto vector = [&](const std::string& name, int n) { return weights.get(name, {n}); };
  const auto matrix = [&](const std::string& name, int rows, int columns) { return weights.get(name, {rows, columns}); };

  const auto stem = in_order_of_time(weights.get("stem.weight", {s.stem_width, s.mel_bands, s.stem_kernel}),
                                     s.stem_width, s.mel_bands, s.stem_kernel);
  stem_ = Linear(stem.data(), vector("stem.bias", s.stem_width), s.stem_width, s.stem_kernel * s.mel_bands, outer,
                 Activation::silu, set);

  // The second convolution and the four conditions add up: one product over their inputs side by side.
  const auto frame = in_order_of_time(weights.get("frame.weight", {s.width, s.stem_width, s.frame_kernel}), s.width,
                                      s.stem_width, s.frame_kernel);
  WeightMap parts = weights;
  parts.add("frame.matrix", frame.data(), {s.width, s.frame_kernel * s.stem_width});
  const auto token =
      parts.join({"frame.matrix", "eyes.weight", "emotion.weight", "style.weight", "previous.weight"}, s.width,
                 {s.frame_kernel * s.stem_width, s.eye_features, s.emotions, s.style_width, s.latent_width});
  frame_ = Linear(token.data(), vector("frame.bias", s.width), s.width, token_width(s), outer, Activation::none, set);
  out_ = Linear(matrix("out.weight", s.hidden_width, s.width), vector("out.bias", s.hidden_width), s.hidden_width,
                s.width, outer, Activation::none, set);

  gains_ = AlignedBuffer<float>(static_cast<std::size_t>(2 * s.layers + 1) * s.width);
  const auto keep_gain = [&](const std::string& name, int index) {
    float* gain = gains_.data() + static_cast<std::size_t>(index) * s.width;
    std::copy_n(vector(name, s.width), s.width, gain);
    return gain;
  };
  for (int i = 0; i < s.layers; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    const auto gate_up =
        weights.stack({block + "mlp.gate.weight", block + "mlp.up.weight"}, {s.mlp_width, s.mlp_width}, s.width);
    const auto pack = [&](const float* w, int columns, int inputs, Activation activation = Activation::none) {
      return Linear(w, nullptr, columns, inputs, precision, activation, set);
    };
    layers_.push_back(Layer{
        .attention_gain = keep_gain(block + "attention_norm.weight", 2 * i),
        .mlp_gain = keep_gain(block + "mlp_norm.weight", 2 * i + 1),
        .qkv = pack(matrix(block + "attention.qkv.weight", 3 * s.width, s.width), 3 * s.width, s.width),
        .out = pack(matrix(block + "attention.out.weight", s.width, s.width), s.width, s.width),
        .gate_up = pack(gate_up.data(), 2 * s.mlp_width, s.width, Activation::swiglu),
        .down = pack(matrix(block + "mlp.down.weight", s.width, s.mlp_width), s.width, s.mlp_width),
    });
  }
  keep_gain("norm.weight", 2 * s.layers);
  eyes_absent_ = AlignedBuffer<float>(s.eye_features);
  std::copy_n(vector("eyes_absent", s.eye_features), s.eye_features, eyes_absent_.data());
}

template <class Visit>
void EncoderWeights::each_linear(Visit visit) const {
  for (const Linear* linear : {&stem_, &frame_, &out_}) visit(*linear);
  for (const Layer& layer : layers_)
    for (const Linear* linear : {&layer.qkv, &layer.out, &layer.gate_up, &layer.down}) visit(*linear);
}

std::size_t EncoderWeights::bytes() const noexcept {
  std::size_t bytes = 0;
  each_linear([&](const Linear& linear) { bytes += linear.bytes(); });
  return bytes;
}

std::int32_t EncoderWeights::read() const noexcept {
  std::int32_t checksum = 0;
  each_linear([&](const Linear& linear) { checksum ^= linear.read(); });
  return checksum;
}

EncoderStep::EncoderStep(std::shared_ptr<const EncoderWeights> weights, int streams)
    : weights_(std::move(weights)), streams_(streams) {
  const EncoderShape& s = weights_->shape_;
  const RingShape& ring = weights_->ring_;
  for (int i = 0; i < s.layers; ++i)
    caches_.push_back({.keys = AlignedBuffer<std::byte>(streams * ring.bytes()),
                       .values = AlignedBuffer<std::byte>(streams * ring.bytes())});
  const auto floats = [&](int per_stream) { return AlignedBuffer<float>(static_cast<std::size_t>(streams) * per_stream); };
  positions_ = AlignedBuffer<std::int64_t>(streams);
  mel_ = floats((s.stem_kernel - 1 + s.hops_per_frame) * s.mel_bands);
  hop_ = floats(s.mel_bands);
  token_ = floats(token_width(s));
  stem_in_ = floats(s.hops_per_frame * s.stem_kernel * s.mel_bands);
  stem_out_ = floats(s.hops_per_frame * s.stem_width);
  x_ = floats(s.width);
  qkv_ = floats(3 * s.width);
  attended_ = floats(s.width);
  inner_ = floats(s.mlp_width);
  cosine_ = floats(ring.head_size / 2);
  sine_ = floats(ring.head_size / 2);
  attention_workspace_ = AlignedBuffer<float>(attention_workspace(ring));
  std::size_t largest = 0;
  weights_->each_linear([&](const Linear& linear) {
    largest = std::max(largest, linear.workspace_bytes(streams * s.hops_per_frame));  // the stem runs once a hop
  });
  workspace_ = AlignedBuffer<std::byte>(largest);
  for (int stream = 0; stream < streams; ++stream) reset(stream);
}

void EncoderStep::reset(int stream) noexcept {
  const auto clear = [&](AlignedBuffer<float>& buffer) {
    const std::size_t n = buffer.size() / streams_;
    std::fill_n(buffer.data() + stream * n, n, 0.0f);
  };
  clear(mel_);
  clear(hop_);
  clear(token_);
  const EncoderShape& s = weights_->shape_;
  float* eyes = token_.data() + static_cast<std::size_t>(stream) * token_width(s) + s.frame_kernel * s.stem_width;
  std::copy_n(weights_->eyes_absent_.data(), s.eye_features, eyes);
  positions_[stream] = 0;  // hides every slot of the rings
}

void EncoderStep::take_inputs(const EncoderInputs& in) noexcept {
  const EncoderShape& s = weights_->shape_;
  const int tail = (s.stem_kernel - 1) * s.mel_bands, fresh = s.hops_per_frame * s.mel_bands;
  for (int stream = 0; stream < streams_; ++stream) {
    if (in.reset && in.reset[stream]) reset(stream);

    float* mel = mel_.data() + static_cast<std::size_t>(stream) * (tail + fresh);
    float* hop = hop_.data() + static_cast<std::size_t>(stream) * s.mel_bands;
    std::memmove(mel, mel + fresh, tail * sizeof(float));
    for (int i = 0; i < s.hops_per_frame; ++i) {
      replaced_ += !accept(in.mel + static_cast<std::size_t>(stream) * fresh + i * s.mel_bands, s.mel_bands, hop);
      std::copy_n(hop, s.mel_bands, mel + tail + i * s.mel_bands);
    }

    float* condition = token_.data() + static_cast<std::size_t>(stream) * token_width(s) + s.frame_kernel * s.stem_width;
    const auto take = [&](const float* values, int n) {
      if (values)
        replaced_ += !accept(values + static_cast<std::size_t>(stream) * n, n, condition);
      else
        std::fill_n(condition, n, 0.0f);
      condition += n;
    };
    if (in.eyes && (!in.eyes_present || in.eyes_present[stream])) {
      take(in.eyes, s.eye_features);
    } else {
      std::copy_n(weights_->eyes_absent_.data(), s.eye_features, condition);
      condition += s.eye_features;
    }
    take(in.emotion, s.emotions);
    take(in.style, s.style_width);
    take(in.previous, s.latent_width);
  }
}

void EncoderStep::run_stem(float* x) noexcept {
  const EncoderShape& s = weights_->shape_;
  const int hop_width = s.stem_kernel * s.mel_bands;
  const int held = (s.stem_kernel - 1 + s.hops_per_frame) * s.mel_bands;
  for (int stream = 0; stream < streams_; ++stream)
    for (int i = 0; i < s.hops_per_frame; ++i)
      std::copy_n(mel_.data() + static_cast<std::size_t>(stream) * held + i * s.mel_bands, hop_width,
                  stem_in_.data() + static_cast<std::size_t>(stream * s.hops_per_frame + i) * hop_width);
  weights_->stem_({.x = stem_in_.data(), .x_stride = hop_width, .rows = streams_ * s.hops_per_frame, .y = stem_out_.data(),
                   .y_stride = s.stem_width},
                  workspace_.data());

  const int fresh = s.hops_per_frame * s.stem_width, tail = s.frame_kernel * s.stem_width - fresh;
  for (int stream = 0; stream < streams_; ++stream) {
    float* token = token_.data() + static_cast<std::size_t>(stream) * token_width(s);
    std::memmove(token, token + fresh, tail * sizeof(float));
    std::copy_n(stem_out_.data() + static_cast<std::size_t>(stream) * fresh, fresh, token + tail);
  }
  weights_->frame_({.x = token_.data(), .x_stride = token_width(s), .rows = streams_, .y = x, .y_stride = s.width},
                   workspace_.data());
}

void EncoderStep::run_layer(int index, float* x) noexcept {
  const EncoderWeights::Layer& layer = weights_->layers_[index];
  const RingShape& ring = weights_->ring_;
  Cache& cache = caches_[index];
  const EncoderShape& s = weights_->shape_;
  const int width = s.width, half = ring.head_size / 2;
  layer.qkv({.x = x, .x_stride = width, .rows = streams_, .gain = layer.attention_gain, .epsilon = s.norm_epsilon,
             .y = qkv_.data(), .y_stride = 3 * width},
            workspace_.data());
  for (int stream = 0; stream < streams_; ++stream)
    weights_->attention_(
        AttentionCall{ring, positions_[stream], cosine_.data() + stream * half, sine_.data() + stream * half,
                      qkv_.data() + static_cast<std::size_t>(stream) * 3 * width,
                      cache.keys.data() + stream * ring.bytes(), cache.values.data() + stream * ring.bytes(),
                      attended_.data() + static_cast<std::size_t>(stream) * width, attention_workspace_.data()});
  layer.out({.x = attended_.data(), .x_stride = width, .rows = streams_, .residual = x, .residual_stride = width,
             .y = x, .y_stride = width},
            workspace_.data());
  layer.gate_up({.x = x, .x_stride = width, .rows = streams_, .gain = layer.mlp_gain, .epsilon = s.norm_epsilon,
                 .y = inner_.data(), .y_stride = s.mlp_width},
                workspace_.data());
  layer.down({.x = inner_.data(), .x_stride = s.mlp_width, .rows = streams_, .residual = x, .residual_stride = width,
              .y = x, .y_stride = width},
             workspace_.data());
}

void EncoderStep::step(const EncoderInputs& inputs, float* hidden) noexcept {
  const FlushDenormals flush;
  const EncoderShape& s = weights_->shape_;
  const int half = weights_->ring_.head_size / 2;
  take_inputs(inputs);
  run_stem(x_.data());
  for (int stream = 0; stream < streams_; ++stream)
    weights_->rotary_.at(positions_[stream], cosine_.data() + stream * half, sine_.data() + stream * half);
  for (int i = 0; i < s.layers; ++i) run_layer(i, x_.data());
  weights_->out_({.x = x_.data(), .x_stride = s.width, .rows = streams_, .gain = weights_->final_gain(),
                  .epsilon = s.norm_epsilon, .y = hidden, .y_stride = s.hidden_width},
                 workspace_.data());
  for (int stream = 0; stream < streams_; ++stream) ++positions_[stream];
}

}  // namespace rtgraph::kernels
