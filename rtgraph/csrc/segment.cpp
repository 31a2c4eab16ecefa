// Segment: when nodes fire, what they emit, and the account of both.
#include "segment.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "scheduler.h"

namespace rtgraph {

namespace {

constexpr int64_t kFarBehind = 1'000'000'000;

// Whether a packet lies at a port without a queue.
bool holds_inline(const NodeState& n) {
  const auto held = [](const InPort& in) { return in.pending && !in.edge->ring; };
  return std::any_of(n.ports.begin(), n.ports.end(), [&](const Port& port) { return std::any_of(port.ends.begin(), port.ends.end(), held); });
}

}  // namespace

Segment::Segment(Scheduler& scheduler, std::string segment_name)
    : name(std::move(segment_name)), scheduler_(scheduler), manual_(scheduler.clock.manual()) {}

void Segment::start(int64_t now) {
  busy_until = now;
  for (NodeState* n : nodes) n->due_ns = now + n->first_tick_ns;
  hot_.clear();
  for (const NodeState* n : nodes) n->hot(hot_);
}

bool Segment::step(HostLock& lock) {
  lock_ = &lock;
  if (!awake_) {
    hot_.fetch();
    for (const NodeState* n : nodes) n->compute.fetch();
  }
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

// Deadlines are counted from the start, so that lateness never adds up. What is far behind (its work takes longer than
// its period, or the machine stood still) leaves ticks out, or its packets would grow older and older.
void Segment::next_tick(NodeState& n) {
  ++n.ticks_done;
  if (n.driver != Driver::rate) return;
  const auto due = [&] {
    return scheduler_.start_ns + n.first_tick_ns + std::llround(static_cast<double>(n.ticks_done) * n.period_ns);
  };
  n.due_ns = due();
  const int64_t behind = tick(mark_) - n.due_ns;
  if (behind < kFarBehind) [[likely]] return;
  const auto missed = static_cast<int64_t>(static_cast<double>(behind) / n.period_ns);
  n.count("skipped_ticks", missed);
  n.ticks_done += missed;
  n.due_ns = due();
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

  if (frame.failed) [[unlikely]] outcome = Outcome::error;
  if (outcome == Outcome::error) [[unlikely]] {
    take_back(n);
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

// What a node has put before it failed goes nowhere. A packet of before that waits beside it goes too: its value was
// given up when the new one was put.
void Segment::take_back(NodeState& n) {
  for (OutPort& o : n.outputs) {
    if (!o.put) continue;
    o.put = false;
    for (auto& [in, edge] : o.inlined) {
      if (in->pending) edge->unpaired.add();
      in->pending = false;
    }
  }
}

// A node emits a second time: the first emission goes on its way before its buffers are reused.
void Segment::flush(NodeState& n) {
  Frame& frame = *frame_;
  if (frame.failed) return;
  const int64_t now = watch_.now();
  frame.failed = !commit(n, now, now - frame.started_ns - frame.nested_ns);
  if (frame.failed) return;
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
      n.failure.traceback.clear();
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

int64_t Firing::now_ns() const {
  return segment_.scheduler_.clock.now_ns(segment_.manual_ ? segment_.virtual_now_ : monotonic_ns());
}

bool Firing::stopping() const { return segment_.scheduler_.stopping(); }

void Firing::observe_clock(int64_t device_ns, int64_t monotonic_ns) {
  segment_.scheduler_.clock.observe(device_ns, monotonic_ns);
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

void Firing::count(const char* what, int64_t n) { node_.count(what, n); }

void NodeState::count(const char* what, int64_t n) {
  for (NamedCounter& c : counters) {
    const char* known = c.name.load(std::memory_order_relaxed);
    if (known == nullptr) c.name.store(known = what, std::memory_order_release);
    if (known == what || std::strcmp(known, what) == 0) return c.value.add(n);
  }
}

}  // namespace rtgraph
