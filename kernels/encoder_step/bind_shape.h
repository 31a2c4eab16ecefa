// Owns how an EncoderConfig (models/config.py) becomes an EncoderShape, for every module that packs an encoder.
#pragma once

#include <pybind11/pybind11.h>

#include "kernels/encoder_step/encoder_step.h"

namespace rtgraph::kernels {

inline EncoderShape encoder_shape_from(const pybind11::object& config) {
  const auto number = [&](const char* name) { return config.attr(name).cast<int>(); };
  return EncoderShape{
      .mel_bands = number("mel_bands"),
      .hops_per_frame = number("hops_per_frame"),
      .stem_width = number("stem_width"),
      .stem_kernel = number("stem_kernel"),
      .frame_kernel = number("frame_kernel"),
      .width = number("width"),
      .layers = number("layers"),
      .heads = number("heads"),
      .mlp_width = number("mlp_width"),
      .window = number("window"),
      .rotary_base = config.attr("rotary_base").cast<double>(),
      .norm_epsilon = config.attr("norm_epsilon").cast<float>(),
      .eye_features = number("eye_features"),
      .emotions = number("emotions"),
      .style_width = number("style_width"),
      .latent_width = number("latent_width"),
      .hidden_width = number("hidden_width"),
  };
}

}  // namespace rtgraph::kernels
