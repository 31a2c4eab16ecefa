// Owns the exponential of SIMD files and what is built on it.
// Include it from SIMD files only (see common/isa.h).
#pragma once

#include "kernels/common/simd.h"

namespace rtgraph::kernels::RTGRAPH_ISA {

// e^x within 2 ulp; below -87.3 the result is the smallest normal number, above 88 it stays at e^88.
// Cephes expf (S. Moshier, netlib).
RTGRAPH_INLINE Vec exp(Vec x) {
  x = max(x < 88.0f ? x : splat(88.0f), splat(-87.3f));
  const Vec rounded = (x * 1.44269504088896341f + 12582912.0f);  // 1.5 * 2^23: the fraction falls off
  const VecInt n = (VecInt)rounded - 0x4b400000;
  const Vec f = rounded - 12582912.0f;
  x = x - f * 0.693359375f + f * 2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * x + 1.3981999507e-3f;
  p = p * x + 8.3334519073e-3f;
  p = p * x + 4.1665795894e-2f;
  p = p * x + 1.6666665459e-1f;
  p = p * x + 5.0000001201e-1f;
  p = p * x * x + x + 1.0f;
  return p * (Vec)((n + 127) << 23);
}

RTGRAPH_INLINE Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }

RTGRAPH_INLINE Vec silu(Vec x) { return x / (1.0f + exp(-x)); }

}  // namespace rtgraph::kernels::RTGRAPH_ISA
