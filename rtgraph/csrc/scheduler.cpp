// Scheduler: building, threads, and the end of a run.
#include "scheduler.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace rtgraph {

namespace {

constexpr int64_t kStepsInNoTime = 1'000'000;

// Packets often come in quick succession: looking for a moment spares both threads a system call.
bool look_around(const Segment& segment) {
  constexpr int kLooks = 64;  // about 3 us
  for (int i = 0; i < kLooks; ++i) {
    if (segment.has_work()) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return false;
}

}  // namespace

Scheduler::~Scheduler() {
  abort();
  join();
}

Segment& Scheduler::add_segment(std::string name) {
  segments.push_back(std::make_unique<Segment>(*this, std::move(name)));
  return *segments.back();
}

NodeState& Scheduler::add_node(Segment& segment, std::string name, std::unique_ptr<Body> body) {
  auto n = std::make_unique<NodeState>();
  n->index = static_cast<int>(nodes.size());
  n->name = std::move(name);
  n->hosted = body->hosted();
  n->body = std::move(body);
  n->origins.assign(sources_, kNever);
  segment.nodes.push_back(n.get());
  nodes.push_back(std::move(n));
  return *nodes.back();
}

Edge& Scheduler::connect(NodeState& from, std::size_t output, NodeState& to, std::size_t port, EdgeKind kind,
                         Overflow overflow, uint32_t capacity, int64_t tolerance_ns) {
  const auto home = [this](const NodeState& n) {
    return std::find_if(segments.begin(), segments.end(), [&](const auto& s) {
             return std::find(s->nodes.begin(), s->nodes.end(), &n) != s->nodes.end();
           })->get();
  };
  OutPort& o = from.outputs[output];
  edges.push_back(std::make_unique<Edge>());
  Edge& e = *edges.back();
  e.kind = kind;
  e.overflow = overflow;
  e.tolerance_ns = tolerance_ns;
  e.carries_objects = from.hosted && to.hosted;
  e.bytes = o.bytes;
  e.reader_segment = home(to);
  if (capacity > 0) {
    e.ring = std::make_unique<SlotRing>(capacity, e.carries_objects ? 0 : e.bytes, sources_);
    const bool wakes = kind != EdgeKind::latest || to.only_latest;
    e.reader = wakes ? &e.reader_segment->event : nullptr;
    e.writer = kind != EdgeKind::latest && overflow == Overflow::block ? &home(from)->event : nullptr;
  }
  to.ports[port].ends.push_back(InPort{});
  to.ports[port].ends.back().edge = &e;
  return e;
}

void Scheduler::set_frame(NodeState& node, std::size_t output, int64_t budget) {
  node.outputs[output].is_frame = true;
  budget_ns = budget;
  frame_node = &node;
  measure_paths(node);
}

void Scheduler::measure_paths(NodeState& sink) {
  while (sink.paths.size() < sources_) sink.paths.push_back(std::make_unique<Path>());
}

void Scheduler::enable_trace(std::size_t events_per_segment) {
  for (auto& s : segments) s->trace.enable(events_per_segment);
}

void Scheduler::prime(NodeState& node, std::size_t output, Value value, int64_t timestamp_ns) {
  for (auto& e : edges) {
    OutPort& o = node.outputs[output];
    if (std::find(o.rings.begin(), o.rings.end(), e.get()) == o.rings.end()) continue;
    if (!e->ring->has_room()) throw std::length_error("more packets than edge " + e->name + " can hold (" + std::to_string(e->ring->capacity()) + ")");
    Slot& slot = e->ring->hand();
    if (e->carries_objects) {
      slot.object = value.object;
      host_->keep(value.object);
    } else {
      std::memcpy(slot.data, value.data, e->bytes);
    }
    slot.stamp = Stamp{};
    slot.stamp.timestamp_ns = timestamp_ns;
    slot.stamp.seq = node.emitted;
    slot.stamp.arrival_ns = timestamp_ns;
    slot.queued_ns = timestamp_ns;
    e->ring->push(false);
    e->passed.add();
  }
  ++node.emitted;
}

void Scheduler::start() {
  // Ports keep their ends in vectors, so links to them are made only now, when nothing moves any more.
  for (auto& n : nodes)
    for (Port& port : n->ports)
      for (InPort& in : port.ends)
        for (auto& from : nodes)
          for (OutPort& o : from->outputs)
            for (auto& link : o.inlined)
              if (link.second == in.edge) link.first = &in;
  for (auto& n : nodes) {
    const bool simple = n->driver == Driver::inputs && n->ports.size() == 1 && n->ports[0].ends.size() == 1 &&
                        n->ports[0].kind == EdgeKind::queue && !n->ports[0].ends[0].edge->ring;
    n->only_input = simple ? &n->ports[0].ends[0] : nullptr;
    if (simple) n->ports[0].used = n->only_input;
  }
  int finite = 0;
  for (auto& n : nodes) finite += n->driver != Driver::inputs && !n->endless;
  finite_sources_.store(finite);
  start_ns = clock.ticks();
  for (auto& s : segments) s->start(start_ns);
  const std::size_t workers = clock.manual() ? 1 : segments.size();
  running_ = workers;
  if (clock.manual()) {
    threads_.emplace_back([this] { run_manual(); });
  } else {
    for (auto& s : segments) s->may_spin = segments.size() <= std::thread::hardware_concurrency();
    for (auto& s : segments) threads_.emplace_back([this, segment = s.get()] { run_live(*segment); });
  }
}

void Scheduler::run_live(Segment& segment) {
  pthread_setname_np(pthread_self(), segment.name.substr(0, 15).c_str());
  prctl(PR_SET_TIMERSLACK, 1UL);  // 50 us by default, which would be added to every paced wake-up
  {
    HostLock lock(host_);
    place(segment);
    while (!aborted()) {
      const bool progress = segment.step(lock);
      if (progress && !stopping()) continue;
      if (segment.finished()) break;
      if (progress) continue;  // what is under way at a stop is brought to its end
      lock.set(false);
      if (segment.may_spin && look_around(segment)) continue;
      const int64_t due = segment.next_due();
      segment.event.wait(due == std::numeric_limits<int64_t>::max() ? -1 : due, [&] { return segment.has_work(); });
    }
    segment.abandon();
  }
  worker_done();
}

// Discrete-event simulation: everything that can happen now happens, segment by segment in the plan's order; then the
// clock moves to the next moment at which something can. The same graph and input give the same run.
void Scheduler::run_manual() {
  pthread_setname_np(pthread_self(), "rtgraph-manual");
  {
    HostLock lock(host_);
    manual_lock_ = &lock;
    int64_t now = start_ns, steps = 0;
    while (!aborted()) {
      clock.set_virtual(now);
      bool progress = false, all_done = true;
      for (auto& s : segments) {
        if (s->busy_until > now || aborted() || !s->step(lock)) continue;
        progress = true;
        if (++steps > kStepsInNoTime) stuck(*s, now);
      }
      if (progress && !stopping()) continue;
      for (auto& s : segments) {
        const auto done_before = std::count_if(s->nodes.begin(), s->nodes.end(), [](auto* n) { return n->done; });
        all_done = s->finished() && all_done;
        progress = progress || done_before != std::count_if(s->nodes.begin(), s->nodes.end(), [](auto* n) { return n->done; });
      }
      if (all_done) break;
      if (progress) continue;
      int64_t next = std::numeric_limits<int64_t>::max();
      for (auto& s : segments) {
        const int64_t event = std::min(s->next_due(), s->next_visible(now));
        if (s->busy_until > now) next = std::min(next, s->busy_until);
        if (event > now) next = std::min(next, event);
      }
      if (next == std::numeric_limits<int64_t>::max()) break;  // nothing can ever happen again
      now = next;
      steps = 0;
    }
    for (auto& s : segments) s->abandon();
    manual_lock_ = nullptr;
  }
  worker_done();
}

// A circle whose packets feed themselves would keep a manual clock at one moment for ever.
void Scheduler::stuck(Segment& segment, int64_t now) {
  NodeState& n = *segment.nodes.front();
  n.failure.message = "the graph has run " + std::to_string(kStepsInNoTime) + " steps at " + std::to_string(now) +
                      " ns of the manual clock without time passing; a circle feeds itself: let its delay hold packets back";
  failed(n);
  abort();
}

bool Scheduler::make_room(Edge& e, Segment& writer, int64_t& now) {
  Segment* reader = e.reader_segment;
  if (reader == &writer) return false;
  const int64_t outer = clock.ticks();
  while (!e.ring->has_room() && !aborted()) {
    now = std::max(now, reader->busy_until);
    clock.set_virtual(now);
    if (!reader->step(*manual_lock_)) break;
  }
  clock.set_virtual(outer);
  return e.ring->has_room();
}

void Scheduler::place(Segment& segment) {
  const auto warn = [&](const std::string& what) {
    std::lock_guard guard(end_);
    warnings.push_back(what);
  };
  if (!segment.cpus.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu : segment.cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set))
      warn("thread " + segment.name + " is not pinned: " + std::strerror(error) + "; name CPUs this machine has");
  }
  if (segment.priority > 0) {
    sched_param param{};
    param.sched_priority = segment.priority;
    if (const int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param))
      warn("thread " + segment.name + " has no real-time priority: " + std::strerror(error) +
           "; allow it with an rtprio line in /etc/security/limits.conf or CAP_SYS_NICE");
  }
}

void Scheduler::worker_done() {
  std::lock_guard guard(end_);
  if (--running_ == 0) end_ns = clock.ticks();
  ended_.notify_all();
}

bool Scheduler::wait(int64_t timeout_ns) {
  std::unique_lock guard(end_);
  const auto over = [&] { return running_ == 0; };
  if (timeout_ns < 0) {
    ended_.wait(guard, over);
    return true;
  }
  return ended_.wait_for(guard, std::chrono::nanoseconds(timeout_ns), over);
}

void Scheduler::request_stop() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  for (auto& s : segments) s->event.notify();
}

void Scheduler::abort() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  aborted_.store(true, std::memory_order_seq_cst);
  for (auto& s : segments) s->event.notify();
}

void Scheduler::join() {
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Scheduler::source_ended(const NodeState& n) noexcept {
  if (!n.endless && finite_sources_.fetch_sub(1, std::memory_order_seq_cst) == 1) request_stop();
}

void Scheduler::failed(NodeState& n) noexcept {
  NodeState* none = nullptr;
  failure_.compare_exchange_strong(none, &n, std::memory_order_release);
  request_stop();
}

}  // namespace rtgraph
