// Scheduler: owns a frozen graph and runs its segments, one thread each, or all on one thread with a manual clock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "clock.h"
#include "graph.h"
#include "host.h"
#include "segment.h"

namespace rtgraph {

// Build (add_*, connect, freeze), start, wait, join: one thread, the owner's. request_stop, abort: any thread.
// The mutex here guards the end of a run only; no segment touches it while packets flow.
class Scheduler {
 public:
  Scheduler(ClockKind kind, std::size_t sources, Host* host) : clock(kind), sources_(sources), host_(host) {}
  ~Scheduler();

  Segment& add_segment(std::string name);
  NodeState& add_node(Segment& segment, std::string name, std::unique_ptr<Body> body);
  // `capacity` 0 makes an inline edge, for two nodes of one segment.
  Edge& connect(NodeState& from, std::size_t output, NodeState& to, std::size_t port, EdgeKind kind, Overflow overflow,
                uint32_t capacity, int64_t tolerance_ns);
  void set_frame(NodeState& node, std::size_t output, int64_t budget_ns);
  void measure_paths(NodeState& sink);
  void enable_trace(std::size_t events_per_segment);

  // Values that `open` wants emitted ahead of everything else: called before start, on the owner's thread.
  void prime(NodeState& node, std::size_t output, Value value, int64_t timestamp_ns);

  void start();
  // Waits up to `timeout_ns` (negative: without limit); whether the run has ended.
  bool wait(int64_t timeout_ns);
  void request_stop() noexcept;  // sources end; what is under way is finished
  void abort() noexcept;         // segments end at once
  void join();                   // after the end

  bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  bool aborted() const noexcept { return aborted_.load(std::memory_order_relaxed); }
  void source_ended(const NodeState& n) noexcept;
  void failed(NodeState& n) noexcept;  // on_error: stop
  NodeState* first_failure() const noexcept { return failure_.load(std::memory_order_acquire); }
  // The manual clock: lets the reader of a full edge make room.
  bool make_room(Edge& e, Segment& writer, int64_t& now);

  Clock clock;
  std::vector<std::unique_ptr<Segment>> segments;
  std::vector<std::unique_ptr<NodeState>> nodes;
  std::vector<std::unique_ptr<Edge>> edges;
  int64_t start_ns = 0;  // ticks
  int64_t end_ns = 0;
  int64_t budget_ns = 0;
  int64_t duration_ns = 0;  // sources end after this long; 0: no limit
  NodeState* frame_node = nullptr;
  Counter frames, missed;
  Histogram frame_time;
  std::vector<std::string> warnings;  // of threads that could not be pinned or prioritised; read after start
  Host* host() const noexcept { return host_; }
  std::size_t sources() const noexcept { return sources_; }

 private:
  void run_live(Segment& segment);
  void run_manual();
  void stuck(Segment& segment, int64_t now);
  void place(Segment& segment);
  void worker_done();

  std::size_t sources_;
  Host* host_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false}, aborted_{false};
  std::atomic<int> finite_sources_{0};
  std::atomic<NodeState*> failure_{nullptr};
  HostLock* manual_lock_ = nullptr;
  std::mutex end_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
};

}  // namespace rtgraph
