// Owns what the fused steps share: refusing broken inputs and flushing denormals.
#pragma once

#include <cmath>
#include <cstring>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace rtgraph::kernels {

// A value beyond this is as broken as NaN: no feature, latent or log-mel comes near it.
inline constexpr float kLargestInput = 1e6f;

// Copies x [n] over kept [n] and answers true, or, where a value is not finite or too large, keeps what stood there.
inline bool accept(const float* x, int n, float* kept) noexcept {
  bool good = true;
  for (int i = 0; i < n; ++i) good &= std::abs(x[i]) <= kLargestInput;  // false for NaN
  if (good) std::memcpy(kept, x, n * sizeof(float));
  return good;
}

// Numbers below 1e-38 count as zero while one of these lives: arithmetic on them is a hundred times slower.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() noexcept : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#else
  FlushDenormals() noexcept {}
#endif
};

}  // namespace rtgraph::kernels
