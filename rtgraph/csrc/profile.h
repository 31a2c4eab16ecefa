// The figures of a run as Python objects; rtgraph/profiler.py gives them their shape and units.
#pragma once

#include <pybind11/pybind11.h>

#include "scheduler.h"

namespace rtgraph {

namespace py = pybind11;

// (count, p50, p95, p99, max), ns
inline py::tuple summary(const Histogram& h, uint64_t zeros = 0) {
  return py::make_tuple(h.count() + zeros, h.quantile(0.50, zeros), h.quantile(0.95, zeros), h.quantile(0.99, zeros), h.max());
}

// Of a wait that is written down only where there was one, in as many firings as `compute` counts.
inline py::tuple wait_summary(const Histogram& waits, const Histogram& compute) {
  const uint64_t firings = compute.count(), waited = waits.count();
  return summary(waits, firings > waited ? firings - waited : 0);
}

inline py::dict node_profile(const NodeState& n, const Segment& segment) {
  py::dict d, counters;
  d["segment"] = segment.name;
  d["native"] = !n.hosted;
  d["compute"] = summary(n.compute);
  d["wait"] = wait_summary(n.wait, n.compute);
  d["host_wait"] = n.hosted ? wait_summary(n.host_wait, n.compute) : summary(n.host_wait);
  if (n.driver == Driver::rate) d["late"] = summary(n.late);
  if (n.source >= 0) d["device"] = summary(n.device);
  d["errors"] = n.errors.get();
  d["missed"] = n.missed_by.get();
  for (const NamedCounter& c : n.counters)
    if (const char* name = c.name.load(std::memory_order_acquire)) counters[name] = c.value.get();
  d["counters"] = counters;
  return d;
}

inline py::dict edge_profile(const Edge& e) {
  py::dict d, dropped;
  d["passed"] = e.passed.get();
  d["inline"] = e.ring == nullptr;
  d["depth"] = summary(e.depth);
  d["capacity"] = e.ring ? e.ring->capacity() : 0;
  dropped["oldest"] = e.oldest.get();
  dropped["newest"] = e.newest.get();
  dropped["superseded"] = e.superseded.get() + e.passed_over.get();
  dropped["unmatched"] = e.unmatched.get();
  dropped["unpaired"] = e.unpaired.get();
  dropped["orphaned"] = e.orphaned.get();
  d["dropped"] = dropped;
  return d;
}

// Any time, also while the run goes on: every figure is an atomic with one writer.
inline py::dict make_profile(const Scheduler& s) {
  py::dict d, nodes, edges, paths;
  for (const auto& segment : s.segments)
    for (const NodeState* n : segment->nodes) nodes[py::str(n->name)] = node_profile(*n, *segment);
  for (const auto& e : s.edges) edges[py::str(e->name)] = edge_profile(*e);
  for (const auto& n : s.nodes)
    for (std::size_t i = 0; i < n->paths.size(); ++i) {
      const auto source = std::find_if(s.nodes.begin(), s.nodes.end(), [&](const auto& m) { return m->source == static_cast<int>(i); });
      if (source == s.nodes.end() || n->paths[i]->age.count() == 0) continue;
      py::dict path;
      path["latency"] = summary(n->paths[i]->latency);
      path["age"] = summary(n->paths[i]->age);
      paths[py::make_tuple((*source)->name, n->name)] = path;
    }
  d["nodes"] = nodes;
  d["edges"] = edges;
  d["paths"] = paths;
  d["frames"] = s.frames.get();
  d["missed"] = s.missed.get();
  d["frame_time"] = summary(s.frame_time);
  d["drift_ppm"] = s.clock.drift_ppm();
  d["duration_ns"] = (s.end_ns ? s.end_ns : s.clock.ticks()) - s.start_ns;
  return d;
}

// [(segment, node, seq, start_ns, duration_ns)], after the run.
inline py::list make_trace(const Scheduler& s) {
  py::list events;
  for (const auto& segment : s.segments)
    for (const TraceEvent& e : segment->trace.in_order())
      events.append(py::make_tuple(segment->name, s.nodes[static_cast<std::size_t>(e.node)]->name, e.seq, e.start_ns, e.duration_ns));
  return events;
}

}  // namespace rtgraph
