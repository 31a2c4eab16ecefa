// The frozen graph: nodes, ports and edges with their storage, laid out when a run is planned.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "event_count.h"
#include "histogram.h"
#include "hot_lines.h"
#include "packet.h"
#include "slot_ring.h"

namespace rtgraph {

class Segment;
class Firing;
struct NodeState;

enum class EdgeKind { queue, latest, match };
enum class Overflow { block, drop_oldest, drop_newest, error };
enum class Driver { inputs, rate, device };
enum class Outcome { ok, end, error };

// A node's work, native or of the host language.
class Body {
 public:
  virtual ~Body() = default;
  virtual bool hosted() const noexcept = 0;  // runs under the host's lock
  // The node's segment only. Answers through `firing`; an error is left in NodeState::failure.
  virtual Outcome process(Firing& firing) noexcept = 0;
  // What `process` looks at, each time.
  virtual void hot(HotLines&) const {}
};

struct Failure {
  std::string port;     // empty: the node as a whole
  std::string message;
  std::string traceback;
  int64_t seq = -1;
  int64_t count = 0;
};

// A counter that one thread writes and any thread reads.
struct Counter {
  std::atomic<int64_t> n{0};
  void add(int64_t k = 1) noexcept { n.store(n.load(std::memory_order_relaxed) + k, std::memory_order_relaxed); }
  int64_t get() const noexcept { return n.load(std::memory_order_relaxed); }
};

struct NamedCounter {
  std::atomic<const char*> name{nullptr};
  Counter value;
};

// One producer port -> one consumer port. `ring` is null where both ends run in one segment, one after the other.
struct Edge {
  EdgeKind kind = EdgeKind::queue;
  Overflow overflow = Overflow::block;
  int64_t tolerance_ns = 0;
  bool carries_objects = false;
  std::size_t bytes = 0;
  std::unique_ptr<SlotRing> ring;
  EventCount* reader = nullptr;  // to wake when there is something to take; null: nobody waits for this edge
  EventCount* writer = nullptr;  // to wake when there is room; null: the writer never waits
  Segment* reader_segment = nullptr;
  bool feedback = false;         // closes a circle: its packets alone keep no node running
  bool inline_closed = false;    // an inline edge's producer has ended
  Counter passed;                          // writer's
  Counter oldest, newest, superseded;      // writer's drops
  Counter unmatched, unpaired, passed_over;  // reader's drops; passed_over: a held value that was never used
  Counter orphaned;                        // pushed after the reader had ended; writer's
  Histogram depth;                         // at each push, in packets
  std::string name;
};

// The consumer's end of an edge, and the packet that lies there.
struct InPort {
  Edge* edge = nullptr;
  bool pending = false;  // a packet that has not been used yet
  bool seen = false;     // `latest`: there is a value
  Value value;
  const Stamp* stamp = nullptr;
  const int64_t* origins = nullptr;
  int64_t queued_ns = 0;
  Slot* slot = nullptr;  // where the packet lies, if the edge has a ring

  // Whether nothing lies here, and nothing will.
  bool drained() const { return !pending && (edge->ring ? edge->ring->closed() && edge->ring->empty() : edge->inline_closed); }
};

// A port of the node class: one edge, several (`many`), or none where it is left open.
struct Port {
  EdgeKind kind = EdgeKind::queue;
  bool optional = false;
  std::vector<InPort> ends;
  InPort* used = nullptr;  // the end that this firing reads, null: None

  bool drained() const {
    return std::all_of(ends.begin(), ends.end(), [](const InPort& in) { return in.drained(); });
  }
};

struct OutPort {
  std::vector<Edge*> rings;
  std::vector<std::pair<InPort*, Edge*>> inlined;
  std::size_t bytes = 0;                       // 0: an object, or a size not known beforehand
  std::unique_ptr<std::byte[]> buffer;         // [bytes] of a native node
  std::unique_ptr<std::byte[]> spare;          // the one that the node fills while `value` lies in the other
  Value value;                                 // the newest emission; an object is a reference owned here
  Stamp stamp;
  bool put = false;                            // emitted in this firing, not yet sent on
  bool is_frame = false;
};

// What a sink (or the frame) sees of each source.
struct Path {
  Histogram latency;  // capture -> here, once for each packet of the source that has had a part
  Histogram age;      // how old the source's newest part is whenever the sink fires
  int64_t last = kNever;
};

// What every firing looks at stands first: between two packets of a slow graph the caches have been lost to others.
struct NodeState {
  int index = 0;
  std::unique_ptr<Body> body;
  bool hosted = false;
  bool fires_any = false;
  bool only_latest = false;
  bool skip_errors = false;
  std::vector<Port> ports;
  InPort* only_input = nullptr;  // of a node with one inline queue and nothing else, which needs no search
  std::vector<OutPort> outputs;
  std::vector<std::unique_ptr<Path>> paths;  // [sources] for sinks and the frame's node, else empty

  Driver driver = Driver::inputs;
  bool endless = false;
  int source = -1;  // its place in `origins`, -1: no source
  double period_ns = 0;
  int64_t first_tick_ns = 0;
  int64_t ticks_done = 0;
  int64_t due_ns = 0;

  bool done = false;
  Stamp stamp;                  // of the firing under way
  std::vector<int64_t> origins;  // [sources]
  int64_t emitted = 0;
  int64_t elapsed_ns = 0;  // virtual time that this firing has said it takes

  // What stands above and all that a firing reaches from it.
  void hot(HotLines& lines) const {
    lines.add(this, static_cast<std::size_t>(reinterpret_cast<const char*>(&compute) - reinterpret_cast<const char*>(this)) + 1);
    lines.add(ports);
    for (const Port& port : ports) lines.add(port.ends);
    lines.add(outputs);
    lines.add(origins);
    for (const OutPort& out : outputs) {
      lines.add(out.inlined);
      for (const auto& [in, edge] : out.inlined) lines.add(&edge->passed, 1);
    }
    body->hot(lines);
  }

  Histogram compute, wait, host_wait, late, device;  // wait, host_wait: where there was any, firings without are not in them
  Counter errors;
  std::array<NamedCounter, 16> counters;
  void count(const char* what, int64_t n);
  Counter missed_by;  // deadlines missed by this node's doing
  std::string name;
  Failure failure;
};

}  // namespace rtgraph
