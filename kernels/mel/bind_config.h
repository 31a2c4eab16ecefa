// Owns how a MelConfig comes from Python (config.py), for the CPU and the CUDA module.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "kernels/mel/mel.h"

namespace rtgraph::kernels {

inline MelConfig mel_config_from(const pybind11::object& config) {
  MelConfig c;
  c.sample_rate_hz = config.attr("sample_rate_hz").cast<int>();
  c.window_samples = config.attr("window_samples").cast<int>();
  c.hop_samples = config.attr("hop_samples").cast<int>();
  c.fft_size = config.attr("fft_size").cast<int>();
  c.bands = config.attr("bands").cast<int>();
  c.low_hz = config.attr("low_hz").cast<double>();
  c.high_hz = config.attr("high_hz").cast<double>();
  c.scale = config.attr("scale").cast<std::string>() == "htk" ? MelScale::htk : MelScale::slaney;
  c.spectrum = config.attr("spectrum").cast<std::string>() == "power" ? MelSpectrum::power : MelSpectrum::magnitude;
  c.floor = config.attr("floor").cast<float>();
  const pybind11::object level = config.attr("level");
  c.level.enabled = !level.is_none();
  if (c.level.enabled) {
    c.level.start_level = level.attr("start_level").cast<double>();
    c.level.start_s = level.attr("start_s").cast<double>();
    c.level.memory_s = level.attr("memory_s").cast<double>();
    c.level.silence_level = level.attr("silence_level").cast<double>();
    c.level.gate_below = level.attr("gate_below").cast<double>();
    c.level.gated_slowdown = level.attr("gated_slowdown").cast<double>();
  }
  return c;
}

}  // namespace rtgraph::kernels
