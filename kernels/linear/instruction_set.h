// Owns the names of the instruction sets that products choose from: common/isa.h, split finer where dot products differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/common/isa.h"

namespace rtgraph::kernels {

enum class InstructionSet { baseline, avx2, avx512, avx512_vnni, avx512_bf16 };

// The best one this machine runs. Cheap after the first call; any thread.
InstructionSet best_instruction_set() noexcept;

// The set called `name`, or the best one for none.
// Throws std::invalid_argument where the name is unknown or the machine cannot run it.
InstructionSet find_instruction_set(const std::optional<std::string>& name);

// The names of all that this machine runs, weakest first.
std::vector<std::string> runnable_instruction_sets();

// What code that has no dot products of its own uses.
Isa base_isa(InstructionSet set) noexcept;

}  // namespace rtgraph::kernels
