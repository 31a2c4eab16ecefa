// Owns the run-time choice among the instruction sets of products.
#include "kernels/linear/instruction_set.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace rtgraph::kernels {

namespace {

constexpr std::array<std::pair<const char*, InstructionSet>, 5> kNames{{
    {"baseline", InstructionSet::baseline},
    {"avx2", InstructionSet::avx2},
    {"avx512", InstructionSet::avx512},
    {"avx512_vnni", InstructionSet::avx512_vnni},
    {"avx512_bf16", InstructionSet::avx512_bf16},
}};

bool runs(InstructionSet set) noexcept {
  if (!can_run(base_isa(set))) return false;
  const bool vnni = __builtin_cpu_supports("avx512vnni");
  if (set == InstructionSet::avx512_vnni) return vnni;
  if (set == InstructionSet::avx512_bf16) return vnni && __builtin_cpu_supports("avx512bf16");
  return true;
}

}  // namespace

Isa base_isa(InstructionSet set) noexcept {
  if (set == InstructionSet::baseline) return Isa::baseline;
  return set == InstructionSet::avx2 ? Isa::avx2 : Isa::avx512;
}

InstructionSet best_instruction_set() noexcept {
  static const InstructionSet best = [] {
    InstructionSet found = InstructionSet::baseline;
    for (const auto& [name, set] : kNames)
      if (runs(set)) found = set;
    return found;
  }();
  return best;
}

InstructionSet find_instruction_set(const std::optional<std::string>& name) {
  if (!name) return best_instruction_set();
  for (const auto& [known, set] : kNames)
    if (*name == known && runs(set)) return set;
  std::string runnable;
  for (const std::string& known : runnable_instruction_sets()) runnable += (runnable.empty() ? "" : ", ") + known;
  throw std::invalid_argument("isa: expected one that this machine runs (" + runnable + "), got '" + *name + "'");
}

std::vector<std::string> runnable_instruction_sets() {
  std::vector<std::string> names;
  for (const auto& [name, set] : kNames)
    if (runs(set)) names.emplace_back(name);
  return names;
}

}  // namespace rtgraph::kernels
