// Owns the choice of instruction set: which ones this build carries, and which the machine can run.
//
// Rules for a SIMD file (compiled once per instruction set, see kernels/CMakeLists.txt):
// - everything in it stands in namespace rtgraph::kernels::RTGRAPH_ISA, so that no symbol is shared between builds;
// - it includes common/simd.h and plain-data headers, and nothing from the standard library that holds inline
//   functions: the linker keeps one copy of those, and it must not be the one compiled for AVX-512.
#pragma once

namespace rtgraph::kernels {

enum class Isa { baseline, avx2, avx512 };

// The best instruction set that this machine runs. Cheap after the first call; any thread.
Isa best_isa() noexcept;

// True where the machine can run code compiled for `isa`.
bool can_run(Isa isa) noexcept;

}  // namespace rtgraph::kernels
