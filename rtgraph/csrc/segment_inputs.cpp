// Segment: what lies at a node's inputs, which of it belongs together, and whether that is enough to fire.
#include <algorithm>

#include "segment.h"
#include "scheduler.h"

namespace rtgraph {

namespace {

// Of several producers into one port the one whose packet has waited longest goes first, so that none is starved.
InPort* longest_waiting(Port& port) {
  InPort* best = nullptr;
  for (InPort& in : port.ends)
    if (in.pending && (best == nullptr || in.queued_ns < best->queued_ns)) best = &in;
  return best;
}

}  // namespace

// Looks for a packet that the node has not used yet; of held values, for the newest.
bool Segment::poll(InPort& in) {
  Edge& e = *in.edge;
  if (!e.ring || (in.pending && e.kind != EdgeKind::latest)) return in.pending;
  if (manual_) {
    const Slot* first = e.ring->peek();
    if (first == nullptr || first->queued_ns > virtual_now_) return in.pending;
  }
  Slot* slot = e.ring->take();
  if (slot == nullptr) return in.pending;
  if (in.pending) e.passed_over.add();
  if (e.writer) e.writer->notify();
  in.slot = slot;
  in.value = e.carries_objects ? Value{nullptr, slot->object} : Value{slot->data, nullptr};
  in.stamp = &slot->stamp;
  in.origins = slot->origins;
  in.queued_ns = slot->queued_ns;
  in.pending = in.seen = true;
  return true;
}

// Whether the node has what it needs; if so `used` of every port says which packet that is.
bool Segment::ready(NodeState& n) {
  if (n.only_input) return n.only_input->pending;
  for (;;) {
    bool enough = false;
    InPort* primary = choose_inputs(n, enough);
    if (!enough) return false;
    bool given_up = false;
    for (Port& port : n.ports) {
      if (port.kind != EdgeKind::match || port.ends.empty() || primary == nullptr) continue;
      const Match match = choose_match(port, *primary);
      if (match == Match::awaited) return false;
      given_up = match == Match::given_up;
      if (given_up) break;
    }
    if (!given_up) return true;  // otherwise the next packet of the primary has its turn
  }
}

// Chooses for each queue and held value; returns the first queue's packet, by whose time others are matched.
// Every port is polled, whatever the others have: a packet left in a ring would keep the thread awake.
InPort* Segment::choose_inputs(NodeState& n, bool& enough) {
  bool all = true, any = false, held = true;
  InPort* primary = nullptr;
  for (Port& port : n.ports) {
    port.used = nullptr;
    for (InPort& in : port.ends) {
      const bool fresh = poll(in);
      if (port.kind == EdgeKind::latest) {
        if (in.seen) port.used = &in;
        if (n.only_latest && fresh) any = true;
      }
    }
    if (port.kind == EdgeKind::match) continue;
    if (port.kind == EdgeKind::latest) {
      if (port.used == nullptr && !port.optional) held = false;
    } else if (!port.ends.empty()) {
      port.used = longest_waiting(port);
      if (port.used == nullptr) all = false;
      else any = true;
      if (primary == nullptr) primary = port.used;
    }
  }
  enough = held && (n.only_latest || n.fires_any ? any : all && any);
  if (n.fires_any && primary != nullptr) primary = leave_the_oldest(n);
  return primary;
}

// Of a node that fires on any packet: one moment at a time, so that each packet keeps its own timestamp. Packets of the
// oldest one fire together, later ones wait for the next firing.
InPort* Segment::leave_the_oldest(NodeState& n) {
  InPort* oldest = nullptr;
  for (const Port& port : n.ports)
    if (port.kind == EdgeKind::queue && port.used &&
        (oldest == nullptr || port.used->stamp->timestamp_ns < oldest->stamp->timestamp_ns))
      oldest = port.used;
  for (Port& port : n.ports)
    if (port.kind == EdgeKind::queue && port.used && port.used->stamp->timestamp_ns > oldest->stamp->timestamp_ns)
      port.used = nullptr;
  return oldest;
}

// Finds the partner whose timestamp lies within the tolerance. Where there is none, and the port is not optional, the
// primary packet is given up.
Segment::Match Segment::choose_match(Port& port, InPort& primary) {
  InPort& in = port.ends.front();
  const int64_t wanted = primary.stamp->timestamp_ns, tolerance = in.edge->tolerance_ns;
  while (poll(in) && in.stamp->timestamp_ns < wanted - tolerance) {
    in.edge->unmatched.add();
    in.pending = false;
  }
  if (in.pending && in.stamp->timestamp_ns <= wanted + tolerance) {
    port.used = &in;
    return Match::found;
  }
  if (!in.pending && !in.drained()) return Match::awaited;
  if (port.optional) return Match::found;
  primary.edge->unmatched.add();
  primary.pending = false;
  return Match::given_up;
}

// Merges the stamps of the packets that are used; returns how long the last of them lay in its queue.
int64_t Segment::gather(NodeState& n, int64_t tick) {
  Stamp& stamp = n.stamp;
  const std::size_t sources = n.origins.size();
  int64_t waited = 0;
  if (n.driver != Driver::inputs) {
    stamp = Stamp{};
    stamp.timestamp_ns = scheduler_.clock.graph_ns(n.driver == Driver::rate ? n.due_ns : tick);
    stamp.seq = n.ticks_done;
    stamp.arrival_ns = tick;
    std::fill(n.origins.begin(), n.origins.end(), kNever);
  }
  if (n.only_input) {
    stamp = *n.only_input->stamp;
    for (std::size_t s = 0; s < sources; ++s) n.origins[s] = n.only_input->origins[s];
    return 0;
  }
  bool first = true, stamped = false;
  for (Port& port : n.ports) {
    const InPort* in = port.used;
    if (in == nullptr) continue;
    if (n.driver == Driver::inputs && (port.kind != EdgeKind::latest || n.only_latest)) {
      const Stamp& s = *in->stamp;
      if (!stamped) {
        stamp = s;
        stamped = true;
      } else {
        stamp.timestamp_ns = std::max(stamp.timestamp_ns, s.timestamp_ns);
        stamp.arrival_ns = std::max(stamp.arrival_ns, s.arrival_ns);
        if (s.slowest_ns > stamp.slowest_ns) stamp.slowest_ns = s.slowest_ns, stamp.slowest_node = s.slowest_node;
      }
      if (in->edge->ring) waited = std::max(waited, tick - in->queued_ns);
    }
    if (first && n.driver == Driver::inputs) {
      std::copy_n(in->origins, sources, n.origins.begin());
    } else {
      for (std::size_t s = 0; s < sources; ++s) n.origins[s] = std::max(n.origins[s], in->origins[s]);
    }
    first = false;
  }
  return waited;
}

// What has been used is no longer pending; objects that came through a ring are let go of at once.
void Segment::release_inputs(NodeState& n) {
  if (n.only_input) {
    n.only_input->pending = false;
    return;
  }
  for (Port& port : n.ports) {
    InPort* in = port.used;
    if (in == nullptr) continue;
    in->pending = false;
    if (port.kind != EdgeKind::latest && in->slot && in->slot->object && in->edge->carries_objects) {
      scheduler_.host()->drop(in->slot->object);
      in->slot->object = nullptr;
    }
  }
}

}  // namespace rtgraph
