// Owns RMSNorm with the condition's scale and shift for one row, inline, so that a product can fuse it.
// Include it from SIMD files only (see common/isa.h).
#pragma once

#include "kernels/common/simd.h"

namespace rtgraph::kernels::RTGRAPH_ISA {

// y = x / sqrt(mean(x^2) + epsilon) * gain, then y * (1 + scale) + shift where scale and shift are given.
// x, y, gain, scale, shift: [k]; y may be x.
RTGRAPH_INLINE void rms_norm_row(const float* x, int k, const float* gain, const float* scale, const float* shift,
                                 float epsilon, float* y) {
  Vec squares{};
  int i = 0;
  for (; i + W <= k; i += W) squares += load(x + i) * load(x + i);
  float total = sum(squares);
  for (; i < k; ++i) total += x[i] * x[i];
  const float inverse = 1.0f / __builtin_sqrtf(total / static_cast<float>(k) + epsilon);

  for (i = 0; i + W <= k; i += W) {
    Vec v = load(x + i) * inverse * load(gain + i);
    if (scale) v = v * (1.0f + load(scale + i)) + load(shift + i);
    store(y + i, v);
  }
  for (; i < k; ++i) {
    const float v = x[i] * inverse * gain[i];
    y[i] = scale ? v * (1.0f + scale[i]) + shift[i] : v;
  }
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
