// Owns RMSNorm over the rows of an array, with the condition's scale and shift.
#pragma once

#include <cstddef>

#include "kernels/common/isa.h"

namespace rtgraph::kernels {

// y = x / sqrt(mean(x^2) + epsilon) * gain; where scale and shift are given, y * (1 + scale) + shift.
// x, scale, shift, y: [rows, width] contiguous; gain [width]. y may be x. Any thread; never allocates or throws.
void rms_norm(const float* x, int rows, int width, const float* gain, const float* scale, const float* shift,
              float epsilon, float* y, Isa isa = best_isa()) noexcept;

}  // namespace rtgraph::kernels
