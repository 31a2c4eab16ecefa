// Owns Philox4x32-10: random numbers as a pure function of a key and a counter, so that a stream's noise needs no state.
//
// Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace rtgraph::kernels {

using Philox = std::array<std::uint32_t, 4>;

// Four independent words for each pair of counter and key.
inline Philox philox(Philox counter, std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0], b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9, key[1] += 0xBB67AE85;
  }
  return counter;
}

// n standard normal numbers, float32, the same for the same seed and frame: Box & Muller 1958.
inline void standard_normal(std::uint64_t seed, std::uint64_t frame, float* out, int n) noexcept {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  for (int i = 0; i < n; i += 4) {
    const Philox words = philox({low(frame), high(frame), static_cast<std::uint32_t>(i / 4), 0}, {low(seed), high(seed)});
    for (int pair = 0; pair < 2 && i + 2 * pair < n; ++pair) {
      // (w + 1/2) / 2^32 lies strictly between 0 and 1, so the logarithm is finite.
      const double u = (words[2 * pair] + 0.5) * 0x1p-32, v = (words[2 * pair + 1] + 0.5) * 0x1p-32;
      const double radius = std::sqrt(-2.0 * std::log(u)), angle = 2.0 * std::numbers::pi * v;
      out[i + 2 * pair] = static_cast<float>(radius * std::cos(angle));
      if (i + 2 * pair + 1 < n) out[i + 2 * pair + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
}

}  // namespace rtgraph::kernels
