// TraceLog: which node ran when, kept in memory allocated beforehand and written out after the run.
#pragma once

#include <cstdint>
#include <vector>

namespace rtgraph {

struct TraceEvent {
  int32_t node;
  int64_t seq;
  int64_t start_ns;  // CLOCK_MONOTONIC
  int64_t duration_ns;
};

// One worker writes; read after the run. When full, new events overwrite the oldest.
class TraceLog {
 public:
  void enable(std::size_t capacity) { events_.resize(capacity); }
  bool enabled() const noexcept { return !events_.empty(); }
  void add(const TraceEvent& e) noexcept { events_[written_++ % events_.size()] = e; }

  uint64_t lost() const noexcept { return written_ > events_.size() ? written_ - events_.size() : 0; }
  std::vector<TraceEvent> in_order() const {
    if (written_ <= events_.size()) return {events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(written_)};
    const auto at = events_.begin() + static_cast<std::ptrdiff_t>(written_ % events_.size());
    std::vector<TraceEvent> out(at, events_.end());
    out.insert(out.end(), events_.begin(), at);
    return out;
  }

 private:
  std::vector<TraceEvent> events_;
  uint64_t written_ = 0;
};

}  // namespace rtgraph
