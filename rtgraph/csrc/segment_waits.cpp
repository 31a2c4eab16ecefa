// Segment: what it still waits for, and the end of its nodes.
#include <algorithm>
#include <limits>

#include "segment.h"
#include "scheduler.h"

namespace rtgraph {

bool Segment::exhausted(const NodeState& n) const {
  if (n.driver != Driver::inputs) {
    if (scheduler_.stopping()) return true;
    bool connected = false, ended = true;
    for (const Port& port : n.ports) {
      connected = connected || !port.ends.empty();
      ended = ended && port.drained();
    }
    return connected && ended;
  }
  bool any = false, all = true, fed = false;
  for (const Port& port : n.ports) {
    if (port.kind == EdgeKind::match || (port.kind == EdgeKind::latest && !n.only_latest)) continue;
    const auto feeds = [](const InPort& in) { return !in.edge->feedback; };
    if (std::none_of(port.ends.begin(), port.ends.end(), feeds)) continue;
    const bool ended = std::all_of(port.ends.begin(), port.ends.end(), [&](const InPort& in) { return !feeds(in) || in.drained(); });
    fed = true;
    any = any || ended;
    all = all && ended;
  }
  if (!fed) return scheduler_.stopping();  // a circle without a source
  return n.fires_any || n.only_latest ? all : any;
}

bool Segment::finished() {
  bool all = true;
  for (NodeState* n : nodes) {
    if (!n->done && exhausted(*n)) finish_node(*n);
    all = all && n->done;
  }
  return all;
}

void Segment::finish_node(NodeState& n) {
  if (n.done) return;
  n.done = true;
  for (OutPort& o : n.outputs) {
    for (Edge* e : o.rings) {
      e->ring->close();
      if (e->reader_segment) e->reader_segment->event.notify();
    }
    for (auto& [in, edge] : o.inlined) edge->inline_closed = true;
  }
  for (Port& port : n.ports) {
    for (InPort& in : port.ends) {
      if (!in.edge->ring) continue;
      in.edge->ring->abandon();
      if (in.edge->writer) in.edge->writer->notify();
    }
  }
  if (n.driver != Driver::inputs) scheduler_.source_ended(n);
}

void Segment::abandon() {
  for (NodeState* n : nodes) finish_node(*n);
}

bool Segment::has_work() const {
  if (scheduler_.aborted()) return true;
  for (const NodeState* n : nodes) {
    if (n->done) continue;
    if (n->driver == Driver::device) return true;
    if (n->driver == Driver::rate && scheduler_.stopping()) return true;
    for (const Port& port : n->ports) {
      if (port.kind == EdgeKind::latest && !n->only_latest && n->driver == Driver::inputs) continue;
      for (const InPort& in : port.ends) {
        if (!in.edge->ring || in.pending) continue;
        if (n->driver == Driver::inputs && !in.edge->ring->empty()) return true;
        if (in.drained() && exhausted(*n)) return true;
      }
    }
  }
  return false;
}

int64_t Segment::next_due() const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const NodeState* n : nodes)
    if (!n->done && n->driver == Driver::rate) next = std::min(next, n->due_ns);
  return next;
}

int64_t Segment::next_visible(int64_t now) const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const NodeState* n : nodes) {
    if (n->done) continue;
    for (const Port& port : n->ports)
      for (const InPort& in : port.ends) {
        const Slot* slot = in.edge->ring && !in.pending ? in.edge->ring->peek() : nullptr;
        if (slot && slot->queued_ns > now) next = std::min(next, slot->queued_ns);
      }
  }
  return next;
}

}  // namespace rtgraph
