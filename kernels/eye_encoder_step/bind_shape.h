// Owns how the eye encoder's config and the constants of models/eye_weights.py become an EyeEncoderShape.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "kernels/eye_encoder_step/eye_encoder_step.h"

namespace rtgraph::kernels {

// config: an EyeEncoderConfig. decode: place reach, contrast floor, gaze scale, pupil centre, scale, least and most.
inline EyeEncoderShape eye_encoder_shape_from(const pybind11::object& config, const std::array<float, 7>& decode) {
  return {.side_px = config.attr("side_px").cast<int>(),
          .fold = config.attr("fold").cast<int>(),
          .widths = config.attr("widths").cast<std::vector<int>>(),
          .places = config.attr("places").cast<int>(),
          .places_after = config.attr("places_after").cast<int>(),
          .hidden = config.attr("hidden").cast<int>(),
          .features = config.attr("features").cast<int>(),
          .place_reach = decode[0],
          .contrast_floor = decode[1],
          .gaze_scale_rad = decode[2],
          .pupil_centre_mm = decode[3],
          .pupil_scale_mm = decode[4],
          .pupil_least_mm = decode[5],
          .pupil_most_mm = decode[6]};
}

}  // namespace rtgraph::kernels
