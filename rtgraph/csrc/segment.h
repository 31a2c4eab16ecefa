// Segment: a run of nodes executed inline on one thread; the unit of scheduling.
#pragma once

#include <string>
#include <vector>

#include "clock.h"
#include "graph.h"
#include "host.h"
#include "stopwatch.h"
#include "trace.h"

namespace rtgraph {

class Scheduler;

// Nodes in topological order. Between two of them in one segment a packet is a pointer; between segments it goes
// through a ring. Everything here runs on the segment's worker thread, but for `event`, which anyone may notify.
// Once warm, a segment of native nodes takes no lock, allocates nothing and throws nothing.
class Segment {
 public:
  Segment(Scheduler& scheduler, std::string segment_name);

  // Fires, once each and in order, the nodes that can fire now; whether any did.
  bool step(HostLock& lock);
  // Marks nodes whose inputs have ended as done and passes that on; whether every node is done.
  bool finished();
  // Whether a step might find something to do: the condition to stay awake.
  bool has_work() const;
  // When the next paced source is due (ticks), or INT64_MAX.
  int64_t next_due() const;
  // The manual clock: the earliest moment after `now` at which something waits to be taken, or INT64_MAX.
  int64_t next_visible(int64_t now) const;
  // Ends every node, as after an error: producers are told that nobody listens, consumers that nothing comes.
  void abandon();
  // Sets the sources' first deadlines.
  void start(int64_t now);

  std::string name;
  std::vector<NodeState*> nodes;
  std::vector<int> cpus;
  int priority = 0;
  EventCount event;
  bool may_spin = false;  // there is a core for every segment, so a short look is cheaper than a sleep
  TraceLog trace;
  int64_t busy_until = 0;  // the manual clock: virtual time until which this segment computes

 private:
  friend class Firing;

  // The firing under way; they nest where a node emits several times and its successors run in between.
  struct Frame {
    std::size_t position;
    int64_t started_ns;     // monotonic
    int64_t wait_ns;        // that its packet lay in a queue
    int64_t nested_ns = 0;  // spent in successors, or waiting for a device
    Frame* outer;
    bool failed = false;    // an emission did not get through
  };

  bool run_from(std::size_t first);
  bool drive(NodeState& n);
  void next_tick(NodeState& n);
  bool ready(NodeState& n);
  InPort* choose_inputs(NodeState& n, bool& enough);
  InPort* leave_the_oldest(NodeState& n);
  bool poll(InPort& in);
  enum class Match { found, awaited, given_up };
  Match choose_match(Port& port, InPort& primary);
  bool exhausted(const NodeState& n) const;
  void fire(NodeState& n, std::size_t position);
  int64_t gather(NodeState& n, int64_t tick);
  void release_inputs(NodeState& n);
  void take_back(NodeState& n);
  void flush(NodeState& n);
  bool commit(NodeState& n, int64_t monotonic, int64_t own_ns);
  bool push(NodeState& n, Edge& e, const OutPort& o, int64_t tick);
  bool wait_for_room(Edge& e);
  void check_deadline(const Stamp& stamp, int64_t tick);
  void record_paths(NodeState& n, int64_t tick);
  void finish_node(NodeState& n);
  int64_t tick(int64_t monotonic) const { return manual_ ? virtual_now_ : monotonic; }

  Scheduler& scheduler_;
  const bool manual_;
  HostLock* lock_ = nullptr;
  Frame* frame_ = nullptr;
  int64_t mark_ = 0;         // monotonic time up to which everything has been accounted for
  bool awake_ = false;       // the last step fired something
  uint32_t steps_ = 0;
  Stopwatch watch_;
  HotLines hot_;
  int64_t virtual_now_ = 0;  // the manual clock, plus what this step's firings have said they take
};

// One call of a node's work: its arguments, and where its results go.
class Firing {
 public:
  Firing(Segment& segment, NodeState& node) : segment_(segment), node_(node) {}

  NodeState& node() noexcept { return node_; }
  const InPort* argument(std::size_t port) const noexcept { return node_.ports[port].used; }
  const Stamp& stamp() const noexcept { return node_.stamp; }

  // Sends a value from an output; of an object a reference is handed over. It goes out when the firing ends or at `flush`.
  // Returns the object that lay there before, whose reference is the caller's now.
  void* put(std::size_t output, Value value, int64_t timestamp_ns) noexcept {
    OutPort& o = node_.outputs[output];
    o.stamp.timestamp_ns = timestamp_ns;
    o.put = true;
    void* before = o.value.object;
    o.value = value;
    return before;
  }
  // Runs what follows now, because the node has more to emit.
  void flush() { segment_.flush(node_); }

  int64_t now_ns() const;
  bool stopping() const;
  void observe_clock(int64_t device_ns, int64_t monotonic_ns);
  // The manual clock: this firing takes so much longer. On others, sleeps.
  void elapse(int64_t ns);
  void count(const char* what, int64_t n);
  // So much of this firing went by before its device had something: it is not in the node's compute time.
  void waited(int64_t ns) { segment_.frame_->nested_ns += ns; }

 private:
  Segment& segment_;
  NodeState& node_;
};

}  // namespace rtgraph
