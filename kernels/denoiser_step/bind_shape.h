// Owns how a DenoiserConfig (models/config.py) becomes a DenoiserShape, for every module that packs a denoiser.
#pragma once

#include <pybind11/pybind11.h>

#include "kernels/denoiser_step/denoiser_step.h"

namespace rtgraph::kernels {

inline DenoiserShape denoiser_shape_from(const pybind11::object& config) {
  const auto number = [&](const char* name) { return config.attr(name).cast<int>(); };
  return DenoiserShape{
      .hidden_width = number("hidden_width"),
      .latent_width = number("latent_width"),
      .emotions = number("emotions"),
      .width = number("width"),
      .blocks = number("blocks"),
      .mlp_width = number("mlp_width"),
      .norm_epsilon = config.attr("norm_epsilon").cast<float>(),
      .head_width = number("head_width"),
      .weights = number("weights"),
      .angles = number("angles"),
      .regions = number("regions"),
  };
}

}  // namespace rtgraph::kernels
