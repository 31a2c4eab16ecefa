// HotLines: the memory that every firing of a segment looks at, brought back into the cache when it wakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rtgraph {

// Collected once a run. A slow graph loses its caches to others between two packets; asked for together, its lines
// arrive side by side, where the nodes one after the other would wait for each.
class HotLines {
 public:
  void add(const void* start, std::size_t bytes) {
    const auto first = reinterpret_cast<uintptr_t>(start) / kLine, last = (reinterpret_cast<uintptr_t>(start) + bytes - 1) / kLine;
    for (uintptr_t line = first; start != nullptr && bytes != 0 && line <= last; ++line) lines_.push_back(reinterpret_cast<const char*>(line * kLine));
  }
  template <class T>
  void add(const std::vector<T>& elements) { add(elements.data(), elements.size() * sizeof(T)); }

  void clear() noexcept { lines_.clear(); }
  void fetch() const noexcept {
    for (const char* line : lines_) __builtin_prefetch(line);
  }

 private:
  static constexpr std::size_t kLine = 64;
  std::vector<const char*> lines_;
};

}  // namespace rtgraph
