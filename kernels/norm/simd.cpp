// Owns the loop of RMSNorm over rows, compiled once per instruction set.
#include "kernels/norm/simd_norm.h"

namespace rtgraph::kernels::RTGRAPH_ISA {

void rms_norm(const float* x, int rows, int width, const float* gain, const float* scale, const float* shift,
              float epsilon, float* y) noexcept {
  for (std::ptrdiff_t at = 0; rows > 0; --rows, at += width)
    rms_norm_row(x + at, width, gain, scale ? scale + at : nullptr, scale ? shift + at : nullptr, epsilon, y + at);
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
