// Segment: firing rules, emission and accounting.
#include "segment.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "scheduler.h"

namespace rtgraph {

namespace {

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

bool drained(const InPort& in) {
  const Edge& e = *in.edge;
  return !in.pending && (e.ring ? e.ring->closed() && e.ring->empty() : e.inline_closed);
}

bool drained(const Port& port) {
  return std::all_of(port.ends.begin(), port.ends.end(), [](const InPort& in) { return drained(in); });
}

// Whether a packet lies at a port without a queue.
bool holds_inline(const NodeState& n) {
  const auto held = [](const InPort& in) { return in.pending && !in.edge->ring; };
  return std::any_of(n.ports.begin(), n.ports.end(), [&](const Port& port) { return std::any_of(port.ends.begin(), port.ends.end(), held); });
}

// Of several producers into one port the one whose packet has waited longest goes first, so that none is starved.
InPort* longest_waiting(Port& port) {
  InPort* best = nullptr;
  for (InPort& in : port.ends)
    if (in.pending && (best == nullptr || in.queued_ns < best->queued_ns)) best = &in;
  return best;
}

}  // namespace

Segment::Segment(Scheduler& scheduler, std::string segment_name)
    : name(std::move(segment_name)), scheduler_(scheduler), manual_(scheduler.clock.manual()) {}

void Segment::start(int64_t now) {
  busy_until = now;
  for (NodeState* n : nodes) n->due_ns = now + n->first_tick_ns;
}

bool Segment::step(HostLock& lock) {
  lock_ = &lock;
  if (!awake_ || ++steps_ % 256 == 0) mark_ = watch_.sync();  // right after a firing `mark_` is as good as now
  virtual_now_ = manual_ ? std::max(scheduler_.clock.ticks(), busy_until) : 0;
  awake_ = run_from(0);
  busy_until = virtual_now_;
  return awake_;
}

bool Segment::run_from(std::size_t first) {
  bool progress = false;
  for (std::size_t i = first; i < nodes.size(); ++i) {
    NodeState& n = *nodes[i];
    if (n.done || scheduler_.aborted()) continue;
    // A source waits for its turn at the top: it must not fire in the middle of another node's emissions.
    if (n.driver == Driver::inputs ? ready(n) : frame_ == nullptr && drive(n)) {
      do fire(n, i);
      while (n.fires_any && holds_inline(n) && ready(n));  // what it has left would be overwritten
      progress = true;
    }
  }
  return progress;
}

// Whether a source's moment has come.
bool Segment::drive(NodeState& n) {
  if (scheduler_.stopping()) return false;
  const int64_t now = tick(mark_);
  const int64_t moment = n.driver == Driver::rate ? n.due_ns : now;
  if (scheduler_.duration_ns > 0 && moment - scheduler_.start_ns >= scheduler_.duration_ns) {
    finish_node(n);
    return false;
  }
  if (moment > now) return false;
  for (Port& port : n.ports) {
    port.used = nullptr;
    for (InPort& in : port.ends) {
      poll(in);
      if (in.seen) port.used = &in;
    }
    if (port.used == nullptr && !port.optional) {  // nothing to send yet
      next_tick(n);
      return false;
    }
  }
  return true;
}

// Deadlines are counted from the start, so that lateness never adds up.
void Segment::next_tick(NodeState& n) {
  ++n.ticks_done;
  if (n.driver != Driver::rate) return;
  const double since = static_cast<double>(n.ticks_done) * n.period_ns;
  n.due_ns = scheduler_.start_ns + n.first_tick_ns + std::llround(since);
}

// Looks for a packet that the node has not used yet.
bool Segment::poll(InPort& in) {
  if (in.pending) return true;
  Edge& e = *in.edge;
  if (!e.ring) return false;
  if (manual_) {
    const Slot* first = e.ring->peek();
    if (first == nullptr || first->queued_ns > virtual_now_) return false;
  }
  Slot* slot = e.ring->take();
  if (slot == nullptr) return false;
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
InPort* Segment::choose_inputs(NodeState& n, bool& enough) {
  bool all = true, any = false;
  InPort* primary = nullptr;
  for (Port& port : n.ports) {
    port.used = nullptr;
    if (port.kind == EdgeKind::match) continue;
    for (InPort& in : port.ends) {
      const bool fresh = poll(in);
      if (port.kind == EdgeKind::latest) {
        if (in.seen) port.used = &in;
        if (n.only_latest && fresh) any = true;
      }
    }
    if (port.kind == EdgeKind::latest) {
      if (port.used == nullptr && !port.optional) return nullptr;
    } else if (!port.ends.empty()) {
      port.used = longest_waiting(port);
      if (port.used == nullptr) all = false;
      else any = true;
      if (primary == nullptr) primary = port.used;
    }
  }
  enough = n.only_latest || n.fires_any ? any : all && any;
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
  if (!in.pending && !drained(in)) return Match::awaited;
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
  bool first = true;
  for (Port& port : n.ports) {
    const InPort* in = port.used;
    if (in == nullptr) continue;
    if (n.driver == Driver::inputs && (port.kind != EdgeKind::latest || n.only_latest)) {
      const Stamp& s = *in->stamp;
      if (first) {
        stamp = s;
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

void Segment::fire(NodeState& n, std::size_t position) {
  int64_t started = mark_;
  if (n.hosted != lock_->held()) [[unlikely]] {
    lock_->set(n.hosted);
    started = watch_.now();
    if (n.hosted) n.host_wait.record(started - mark_);
  }
  const int64_t begin = tick(started);
  if (n.driver == Driver::rate) n.late.record(begin - n.due_ns);
  Frame frame{position, started, gather(n, begin), 0, frame_};
  frame_ = &frame;
  n.elapsed_ns = 0;

  Firing firing(*this, n);
  Outcome outcome = n.body->process(firing);

  frame_ = frame.outer;
  const int64_t ended = watch_.now();
  const int64_t own = ended - started - frame.nested_ns;
  n.compute.record(manual_ ? own + n.elapsed_ns : own);
  if (frame.wait_ns != 0) [[unlikely]] n.wait.record(frame.wait_ns);
  if (trace.enabled()) [[unlikely]] trace.add({n.index, n.stamp.seq, started, ended - started});
  mark_ = ended;

  if (outcome == Outcome::error) [[unlikely]] {
    for (OutPort& o : n.outputs) o.put = false;
  } else {
    frame_ = &frame;
    if (!commit(n, ended, own)) outcome = Outcome::error;
    frame_ = frame.outer;
    if (!n.paths.empty() && n.outputs.empty()) record_paths(n, tick(ended));
  }
  release_inputs(n);
  if (n.driver != Driver::inputs) next_tick(n);
  if (outcome == Outcome::end) [[unlikely]] finish_node(n);
  if (outcome == Outcome::error) [[unlikely]] {
    n.errors.add();
    n.failure.seq = n.stamp.seq;
    if (!n.skip_errors) {
      scheduler_.failed(n);
      abandon();
    }
  }
}

// A node emits a second time: the first emission goes on its way before its buffers are reused.
void Segment::flush(NodeState& n) {
  Frame& frame = *frame_;
  const int64_t now = watch_.now();
  commit(n, now, now - frame.started_ns - frame.nested_ns);
  mark_ = std::max(mark_, now);
  run_from(frame.position + 1);
  lock_->set(n.hosted);
  mark_ = watch_.now();
  frame.nested_ns += mark_ - now;
}

// Sends on what the node has put. False: an edge with `overflow: error` was full.
bool Segment::commit(NodeState& n, int64_t monotonic, int64_t own_ns) {
  bool ok = true, pushed = false;
  const int64_t now = tick(monotonic);
  const int64_t cost = (manual_ ? n.elapsed_ns : own_ns) + frame_->wait_ns;
  for (OutPort& o : n.outputs) {
    if (!o.put) continue;
    o.put = false;
    Stamp& stamp = o.stamp;
    stamp.seq = n.emitted++;
    if (n.source >= 0) {
      stamp.arrival_ns = now;
      n.origins[static_cast<std::size_t>(n.source)] = stamp.timestamp_ns;
      n.device.record(scheduler_.clock.graph_ns(now) - stamp.timestamp_ns);
    } else {
      stamp.arrival_ns = n.driver == Driver::inputs ? n.stamp.arrival_ns : now;
      const bool slowest = cost > n.stamp.slowest_ns;
      stamp.slowest_ns = slowest ? cost : n.stamp.slowest_ns;
      stamp.slowest_node = slowest ? n.index : n.stamp.slowest_node;
    }
    if (o.is_frame) {
      check_deadline(stamp, now);
      record_paths(n, now);
    }
    for (auto& [in, edge] : o.inlined) {
      if (in->pending) edge->unpaired.add();
      edge->passed.add();
      in->value = o.value;
      in->stamp = &o.stamp;
      in->origins = n.origins.data();
      in->pending = true;
    }
    for (Edge* e : o.rings) {
      ok = push(n, *e, o, now) && ok;
      pushed = true;
    }
  }
  if (pushed) mark_ = watch_.now();
  return ok;
}

bool Segment::push(NodeState& n, Edge& e, const OutPort& o, int64_t tick) {
  SlotRing& ring = *e.ring;
  if (ring.abandoned()) {
    e.orphaned.add();
    return true;
  }
  const bool replaces = e.kind == EdgeKind::latest || e.overflow == Overflow::drop_oldest;
  if (!replaces && !ring.has_room()) {
    if (e.overflow == Overflow::drop_newest) {
      e.newest.add();
      return true;
    }
    if (e.overflow == Overflow::error || !wait_for_room(e)) {
      if (scheduler_.aborted() || ring.abandoned()) return true;
      n.failure.port.clear();
      n.failure.message = "edge " + e.name + " is full (" + std::to_string(ring.capacity()) + " packets wait): " +
                          (e.overflow == Overflow::error ? "its overflow is `error`; its reader is too slow, or choose another overflow"
                                                         : "its reader, on the same thread, waits for another input; match the rates, drop packets "
                                 "(overflow: drop_oldest), or give the reader a thread of its own");
      return false;
    }
  }
  Slot& slot = ring.hand();
  if (e.carries_objects) {
    if (slot.object) scheduler_.host()->drop(slot.object);
    slot.object = o.value.object;
    scheduler_.host()->keep(slot.object);
  } else {
    std::memcpy(slot.data, o.value.data, e.bytes);
  }
  slot.stamp = o.stamp;
  slot.queued_ns = manual_ ? virtual_now_ : tick;
  std::copy(n.origins.begin(), n.origins.end(), slot.origins);
  if (ring.push(replaces) == SlotRing::Push::dropped_oldest) {
    (e.kind == EdgeKind::latest ? e.superseded : e.oldest).add();
  }
  e.passed.add();
  e.depth.record(static_cast<int64_t>(ring.size()));
  if (e.reader) e.reader->notify();
  return true;
}

bool Segment::wait_for_room(Edge& e) {
  if (e.reader_segment == this) return false;  // the reader is on this very thread: it would wait for itself
  const bool held = lock_->held();
  bool room = false;
  if (manual_) {
    room = scheduler_.make_room(e, *this, virtual_now_);
  } else {
    lock_->set(false);  // the reader may need it
    const auto settled = [&] { return e.ring->has_room() || e.ring->abandoned() || scheduler_.aborted(); };
    while (!settled()) event.wait(-1, settled);
    room = e.ring->has_room();
  }
  lock_->set(held);
  return room;
}

void Segment::check_deadline(const Stamp& stamp, int64_t tick) {
  scheduler_.frames.add();
  const int64_t took = tick - stamp.arrival_ns;
  scheduler_.frame_time.record(took);
  if (scheduler_.budget_ns <= 0 || took <= scheduler_.budget_ns) return;
  scheduler_.missed.add();
  if (stamp.slowest_node >= 0) scheduler_.nodes[static_cast<std::size_t>(stamp.slowest_node)]->missed_by.add();
}

void Segment::record_paths(NodeState& n, int64_t tick) {
  const int64_t now = scheduler_.clock.graph_ns(tick);
  for (std::size_t s = 0; s < n.paths.size(); ++s) {
    const int64_t captured = n.origins[s];
    if (captured == kNever) continue;
    Path& path = *n.paths[s];
    path.age.record(now - captured);
    if (captured > path.last) {
      path.latency.record(now - captured);
      path.last = captured;
    }
  }
}

bool Segment::exhausted(const NodeState& n) const {
  if (n.driver != Driver::inputs) {
    if (scheduler_.stopping()) return true;
    bool connected = false, ended = true;
    for (const Port& port : n.ports) {
      connected = connected || !port.ends.empty();
      ended = ended && drained(port);
    }
    return connected && ended;
  }
  bool any = false, all = true, fed = false;
  for (const Port& port : n.ports) {
    if (port.kind == EdgeKind::match || (port.kind == EdgeKind::latest && !n.only_latest)) continue;
    const auto feeds = [](const InPort& in) { return !in.edge->feedback; };
    if (std::none_of(port.ends.begin(), port.ends.end(), feeds)) continue;
    const bool ended = std::all_of(port.ends.begin(), port.ends.end(), [&](const InPort& in) { return !feeds(in) || drained(in); });
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
        if (drained(in) && exhausted(*n)) return true;
      }
    }
  }
  return false;
}

int64_t Segment::next_due() const {
  int64_t next = kForever;
  for (const NodeState* n : nodes)
    if (!n->done && n->driver == Driver::rate) next = std::min(next, n->due_ns);
  return next;
}

int64_t Segment::next_visible(int64_t now) const {
  int64_t next = kForever;
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

void Firing::put(std::size_t output, Value value, int64_t timestamp_ns) {
  OutPort& o = node_.outputs[output];
  if (o.value.object) segment_.scheduler_.host()->drop(o.value.object);
  o.value = value;
  o.stamp.timestamp_ns = timestamp_ns;
  o.put = true;
}

int64_t Firing::now_ns() const {
  return segment_.scheduler_.clock.graph_ns(segment_.manual_ ? segment_.virtual_now_ : monotonic_ns());
}

bool Firing::stopping() const { return segment_.scheduler_.stopping(); }

void Firing::observe_clock(int64_t device_ns) {
  segment_.scheduler_.clock.observe(device_ns, segment_.manual_ ? segment_.virtual_now_ : monotonic_ns());
}

void Firing::elapse(int64_t ns) {
  if (ns <= 0) return;
  if (segment_.manual_) {
    segment_.virtual_now_ += ns;
    node_.elapsed_ns += ns;
    return;
  }
  timespec t{ns / 1'000'000'000, ns % 1'000'000'000};
  nanosleep(&t, nullptr);
}

void Firing::count(const char* what, int64_t n) {
  for (NamedCounter& c : node_.counters) {
    const char* name = c.name.load(std::memory_order_relaxed);
    if (name == nullptr) c.name.store(name = what, std::memory_order_release);
    if (name == what || std::strcmp(name, what) == 0) return c.value.add(n);
  }
}

}  // namespace rtgraph
