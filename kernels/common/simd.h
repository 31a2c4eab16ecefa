// Owns the vector type of SIMD files: W floats in one register, with the few operations the kernels share.
// Include it from SIMD files only (see common/isa.h).
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#ifndef RTGRAPH_ISA
#error "common/simd.h belongs in files listed under SIMD in kernels/CMakeLists.txt"
#endif

namespace rtgraph::kernels::RTGRAPH_ISA {

#if defined(__AVX512F__)
inline constexpr int W = 16;
#elif defined(__AVX2__)
inline constexpr int W = 8;
#else
inline constexpr int W = 4;
#endif

typedef float Vec __attribute__((vector_size(W * 4)));
typedef std::int32_t VecInt __attribute__((vector_size(W * 4)));

#define RTGRAPH_INLINE [[gnu::always_inline]] inline

RTGRAPH_INLINE Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
RTGRAPH_INLINE void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }
RTGRAPH_INLINE Vec splat(float x) { return x - Vec{}; }
RTGRAPH_INLINE Vec select(VecInt mask, Vec yes, Vec no) { return mask ? yes : no; }
RTGRAPH_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }

RTGRAPH_INLINE Vec sqrt(Vec v) {
#if defined(__AVX512F__)
  return (Vec)_mm512_maskz_sqrt_ps((__mmask16)-1, (__m512)v);  // the plain form draws a false warning from GCC 12
#elif defined(__AVX2__)
  return (Vec)_mm256_sqrt_ps((__m256)v);
#else
  return (Vec)_mm_sqrt_ps((__m128)v);
#endif
}

// Compile-time lists of lane numbers, without <utility>.
template <int... I>
struct Lanes {};
template <int N, int... I>
struct MakeLanes : MakeLanes<N - 1, N - 1, I...> {};
template <int... I>
struct MakeLanes<0, I...> {
  using type = Lanes<I...>;
};
using AllLanes = typename MakeLanes<W>::type;

// Lane of (a, b) that lane j of their interleaving by groups of G lanes takes; half 0 is the lower result.
template <int G>
constexpr int zip_lane(int j, int half) {
  const int group = j / G + half * (W / G);
  return (group % 2) * W + (group / 2) * G + j % G;
}
template <int G, int Half, int... I>
RTGRAPH_INLINE Vec zip_impl(Vec a, Vec b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, zip_lane<G>(I, Half)...);
}
// a0 b0 a1 b1 ... by groups of G lanes: the lower and the upper half of the result.
template <int G>
RTGRAPH_INLINE Vec zip_lo(Vec a, Vec b) {
  return zip_impl<G, 0>(a, b, AllLanes{});
}
template <int G>
RTGRAPH_INLINE Vec zip_hi(Vec a, Vec b) {
  return zip_impl<G, 1>(a, b, AllLanes{});
}

// The same within every four lanes.
template <int G>
constexpr int zip_fours_lane(int j, int half) {
  const int group = j % 4 / G + half * (4 / G);
  return (group % 2) * W + j / 4 * 4 + (group / 2) * G + j % G;
}
template <int G, int Half, int... I>
RTGRAPH_INLINE Vec zip_fours_impl(Vec a, Vec b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, zip_fours_lane<G>(I, Half)...);
}
template <int G>
RTGRAPH_INLINE Vec zip_fours_lo(Vec a, Vec b) {
  return zip_fours_impl<G, 0>(a, b, AllLanes{});
}
template <int G>
RTGRAPH_INLINE Vec zip_fours_hi(Vec a, Vec b) {
  return zip_fours_impl<G, 1>(a, b, AllLanes{});
}

template <int... I>
RTGRAPH_INLINE Vec reverse_impl(Vec a, Lanes<I...>) {
  return __builtin_shufflevector(a, a, (W - 1 - I)...);
}
RTGRAPH_INLINE Vec reverse(Vec a) { return reverse_impl(a, AllLanes{}); }

// Lanes 0, 2, 4, ... (Odd = 0) or 1, 3, 5, ... (Odd = 1) of the pair (a, b).
template <int Odd, int... I>
RTGRAPH_INLINE Vec unzip_impl(Vec a, Vec b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, (2 * I + Odd)...);
}
RTGRAPH_INLINE Vec evens(Vec a, Vec b) { return unzip_impl<0>(a, b, AllLanes{}); }
RTGRAPH_INLINE Vec odds(Vec a, Vec b) { return unzip_impl<1>(a, b, AllLanes{}); }

// The sums of W vectors, lane i being the sum of v[i]. Overwrites v.
RTGRAPH_INLINE Vec sum_each(Vec* v) {
  for (int n = W / 2; n >= 1; n /= 2)
    for (int i = 0; i < n; ++i) v[i] = zip_lo<1>(v[i], v[i + n]) + zip_hi<1>(v[i], v[i + n]);
  return v[0];
}

RTGRAPH_INLINE float sum(Vec v) {
  float total = 0.0f;
  for (int i = 0; i < W; ++i) total += v[i];
  return total;
}

// Natural logarithm of positive normal numbers, within 1 ulp or so. Cephes logf (S. Moshier, netlib).
RTGRAPH_INLINE Vec log(Vec x) {
  VecInt bits = (VecInt)x;
  VecInt exponent = (bits >> 23) - 126;
  Vec m = (Vec)((bits & 0x007fffff) | 0x3f000000);  // 0.5 .. 1
  const VecInt low = m < 0.70710678f;
  exponent += low;  // a true lane is -1
  m = (low ? m + m : m) - 1.0f;
  const Vec z = m * m;
  Vec p = splat(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const Vec e = __builtin_convertvector(exponent, Vec);
  Vec y = m * z * p + e * -2.12194440e-4f - 0.5f * z;
  return m + y + e * 0.693359375f;
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
