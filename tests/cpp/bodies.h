// Native nodes and a small builder for the scheduler's tests.
#pragma once

#include <initializer_list>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "native_body.h"
#include "rtgraph/node.h"
#include "scheduler.h"

namespace rtgraph::testing {

// Counts up; ends after `count` (0: never).
struct Counting : Node {
  explicit Counting(int64_t n) : count(n) {}
  int process(Context ctx) noexcept override {
    if (count > 0 && sent == count) return RTGRAPH_END;
    ctx.output<int64_t>(0)[0] = sent++;
    ctx.emit();
    return RTGRAPH_OK;
  }
  int64_t count, sent = 0;
};

// Adds its inputs; an absent one counts as 1,000,000.
struct Sum : Node {
  explicit Sum(int n) : inputs(n) {}
  int process(Context ctx) noexcept override {
    int64_t total = 0;
    for (int i = 0; i < inputs; ++i) total += ctx.input<int64_t>(i) ? ctx.input<int64_t>(i)[0] : 1'000'000;
    ctx.output<int64_t>(0)[0] = total;
    ctx.emit();
    return RTGRAPH_OK;
  }
  int inputs;
};

// Sends each value `times` times, numbered.
struct Repeat : Node {
  explicit Repeat(int n) : times(n) {}
  int process(Context ctx) noexcept override {
    const int64_t x = ctx.input<int64_t>(0)[0];
    for (int i = 0; i < times; ++i) {
      ctx.output<int64_t>(0)[0] = x * 100 + i;
      ctx.emit();
    }
    return RTGRAPH_OK;
  }
  int times;
};

// Keeps values and stamps; takes `busy_ns` of the manual clock for each.
struct Keep : Node {
  int process(Context ctx) noexcept override {
    if (fail_at >= 0 && ctx.input<int64_t>(0)[0] == fail_at) return ctx.fail("asked to fail");
    values.push_back(ctx.input<int64_t>(0)[0]);
    timestamps.push_back(ctx.timestamp_ns());
    seqs.push_back(ctx.seq());
    return RTGRAPH_OK;
  }
  std::vector<int64_t> values, timestamps, seqs;
  int64_t fail_at = -1;
};

// Owns the tables that NativeBody only points to.
class Graph {
 public:
  explicit Graph(ClockKind clock, std::size_t sources = 1) : scheduler(clock, sources, nullptr) {}
  ~Graph() {
    scheduler.abort();
    scheduler.join();
    for (auto& t : tables_) t->destroy(t->self);
  }

  template <class N, class... Args>
  N& add(Segment& segment, const std::string& name, std::vector<Port> ports, std::size_t outputs, Args&&... args) {
    auto node = std::make_unique<N>(std::forward<Args>(args)...);
    N& made = *node;
    tables_.push_back(std::make_unique<rtgraph_node>(detail::box(std::move(node))));
    auto body = std::make_unique<NativeBody>(tables_.back().get());
    NativeBody* native = body.get();
    NodeState& state = scheduler.add_node(segment, name, std::move(body));
    state.ports = std::move(ports);
    state.outputs.resize(outputs);
    for (OutPort& o : state.outputs) o.bytes = sizeof(int64_t);
    state.only_latest = !state.ports.empty();
    for (const Port& p : state.ports) state.only_latest = state.only_latest && p.kind == EdgeKind::latest;
    native->prepare(state);
    return made;
  }
  NodeState& operator[](const std::string& name) {
    for (auto& n : scheduler.nodes)
      if (n->name == name) return *n;
    throw std::runtime_error("no node " + name);
  }
  void source(const std::string& name, double rate_hz, int index = 0) {
    NodeState& n = (*this)[name];
    n.driver = rate_hz > 0 ? Driver::rate : Driver::device;
    n.period_ns = rate_hz > 0 ? 1e9 / rate_hz : 0;
    n.source = index;
  }
  // capacity 0: inline
  Edge& link(const std::string& from, const std::string& to, std::size_t port = 0, uint32_t capacity = 0,
             EdgeKind kind = EdgeKind::queue, Overflow overflow = Overflow::block, int64_t tolerance_ns = 0) {
    NodeState& producer = (*this)[from];
    Edge& e = scheduler.connect(producer, 0, (*this)[to], port, kind, overflow, capacity, tolerance_ns);
    e.name = from + " -> " + to;
    if (capacity > 0) producer.outputs[0].rings.push_back(&e);
    else producer.outputs[0].inlined.emplace_back(nullptr, &e);
    return e;
  }
  void run() {
    scheduler.start();
    scheduler.wait(-1);
    scheduler.join();
  }

  Scheduler scheduler;

 private:
  std::vector<std::unique_ptr<rtgraph_node>> tables_;
};

inline Port port(EdgeKind kind = EdgeKind::queue, bool optional = false) {
  Port p;
  p.kind = kind;
  p.optional = optional;
  return p;
}

inline std::vector<int64_t> up_to(int64_t n) {
  std::vector<int64_t> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

inline std::vector<Port> ports(std::initializer_list<Port> list) { return {list}; }

}  // namespace rtgraph::testing
