// Owns the choice of instruction set for RMSNorm.
#include "kernels/norm/norm.h"

namespace rtgraph::kernels {

#define RTGRAPH_RMS_NORM(isa)                                                                                     \
  namespace isa {                                                                                                 \
  void rms_norm(const float*, int, int, const float*, const float*, const float*, float, float*) noexcept;        \
  }
RTGRAPH_RMS_NORM(baseline)
RTGRAPH_RMS_NORM(avx2)
RTGRAPH_RMS_NORM(avx512)

void rms_norm(const float* x, int rows, int width, const float* gain, const float* scale, const float* shift,
              float epsilon, float* y, Isa isa) noexcept {
  switch (isa) {
    case Isa::baseline: return baseline::rms_norm(x, rows, width, gain, scale, shift, epsilon, y);
    case Isa::avx2: return avx2::rms_norm(x, rows, width, gain, scale, shift, epsilon, y);
    case Isa::avx512: return avx512::rms_norm(x, rows, width, gain, scale, shift, epsilon, y);
  }
}

}  // namespace rtgraph::kernels
