// Owns the Python name of an instruction set.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "kernels/common/isa.h"

namespace rtgraph::kernels {

// "baseline" | "avx2" | "avx512", or none for the best that the machine runs. Throws std::invalid_argument.
inline Isa isa_from_name(const std::optional<std::string>& name) {
  if (!name) return best_isa();
  if (*name == "baseline") return Isa::baseline;
  if (*name == "avx2") return Isa::avx2;
  if (*name == "avx512") return Isa::avx512;
  throw std::invalid_argument("isa: expected 'baseline', 'avx2' or 'avx512', got '" + *name + "'");
}

}  // namespace rtgraph::kernels
