// Owns the run-time detection of instruction sets.
#include "kernels/common/isa.h"

namespace rtgraph::kernels {

bool can_run(Isa isa) noexcept {
  __builtin_cpu_init();
  const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  switch (isa) {
    case Isa::baseline: return true;
    case Isa::avx2: return avx2;
    case Isa::avx512: return avx512;
  }
  return false;
}

Isa best_isa() noexcept {
  static const Isa best = can_run(Isa::avx512) ? Isa::avx512 : can_run(Isa::avx2) ? Isa::avx2 : Isa::baseline;
  return best;
}

}  // namespace rtgraph::kernels
