// The contract between the runtime and a native node: what a C++ node implements and what it may ask for.
//
// A native node is a class derived from rtgraph::Node. The runtime calls it on one thread at a time, without the
// GIL. `process` must not throw, lock, allocate or wait (a source driven by its own device may wait up to 0.1 s).
// Across the boundary of the two binaries only the C structs below are seen, so that compilers may differ.
// Python declares the node's ports and Config (rtgraph.NativeNode) and hands its capsule to the runtime:
// inputs and outputs are numbered in the order of that declaration, and every tensor is C-contiguous.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

extern "C" {

#define RTGRAPH_ABI_VERSION 3u
#define RTGRAPH_CAPSULE_NAME "rtgraph.native_node.v1"

enum rtgraph_status { RTGRAPH_OK = 0, RTGRAPH_END = 1, RTGRAPH_ERROR = -1 };

typedef struct rtgraph_input {
  const void* data;  // null where an optional input has nothing
  int64_t size_bytes;
  int64_t timestamp_ns;
  int64_t seq;
} rtgraph_input;

typedef struct rtgraph_output {
  void* data;  // the runtime's buffer; may be pointed elsewhere for one emission (see Context::forward)
  int64_t size_bytes;
} rtgraph_output;

typedef struct rtgraph_context {
  const rtgraph_input* inputs;
  rtgraph_output* outputs;
  int64_t timestamp_ns;  // of the newest packet that fired the node; what `emit` stamps unless changed
  int64_t seq;           // of the packet that fired the node; for a source its own count
  const char* error;     // what went wrong, set before RTGRAPH_ERROR; must outlive the call
  void* runtime;
  void (*emit)(struct rtgraph_context*, uint32_t ports);  // runs what follows in this segment, then returns
  int64_t (*now_ns)(const struct rtgraph_context*);
  int (*stopping)(const struct rtgraph_context*);
  void (*observe_clock)(struct rtgraph_context*, int64_t device_ns, int64_t monotonic_ns);
  void (*count)(struct rtgraph_context*, const char* what, int64_t n);
  void (*waited)(struct rtgraph_context*, int64_t ns);
} rtgraph_context;

typedef struct rtgraph_node {
  uint32_t abi_version;
  void* self;
  const char* (*open)(void* self);  // null, or the error
  int (*process)(void* self, rtgraph_context*);
  void (*reset)(void* self);
  void (*close)(void* self);
  void (*destroy)(void* self);
} rtgraph_node;
}

namespace rtgraph {

// What `process` sees of one firing. A view: cheap to copy, valid during the call only.
class Context {
 public:
  explicit Context(rtgraph_context* c) : c_(c) {}

  // The array on input `i`, or null where an optional input has nothing.
  template <class T>
  const T* input(int i) const {
    return static_cast<const T*>(c_->inputs[i].data);
  }
  const rtgraph_input& packet(int i) const { return c_->inputs[i]; }
  template <class T>
  std::size_t input_size(int i) const {
    return static_cast<std::size_t>(c_->inputs[i].size_bytes) / sizeof(T);
  }

  // The buffer of output `i`: write it, then `emit`.
  template <class T>
  T* output(int i) const {
    return static_cast<T*>(c_->outputs[i].data);
  }
  template <class T>
  std::size_t output_size(int i) const {
    return static_cast<std::size_t>(c_->outputs[i].size_bytes) / sizeof(T);
  }
  // Send input `i` on as output `o` without a copy.
  void forward(int i, int o) const { c_->outputs[o].data = const_cast<void*>(c_->inputs[i].data); }

  int64_t timestamp_ns() const { return c_->timestamp_ns; }
  void set_timestamp_ns(int64_t t) const { c_->timestamp_ns = t; }
  int64_t seq() const { return c_->seq; }
  int64_t now_ns() const { return c_->now_ns(c_); }
  bool stopping() const { return c_->stopping(c_) != 0; }

  // Sends the outputs in the bit mask `ports` (all by default). May be called several times in one firing.
  void emit(uint32_t ports = ~0u) const { c_->emit(c_, ports); }
  // A source that drives `clock: audio` says how far its device had come (ns since its first sample) at a moment of
  // CLOCK_MONOTONIC.
  void observe_clock(int64_t device_ns, int64_t monotonic_ns) const { c_->observe_clock(c_, device_ns, monotonic_ns); }
  // Adds to a counter of this node in the profile; `what` must be a string literal.
  void count(const char* what, int64_t n = 1) const { c_->count(c_, what, n); }
  // A source that waited for its device says how long, since this is no work: the profile leaves it out.
  void waited(int64_t ns) const { c_->waited(c_, ns); }
  // For `return ctx.fail("...")`; `message` must outlive the call.
  int fail(const char* message) const {
    c_->error = message;
    return RTGRAPH_ERROR;
  }

 private:
  rtgraph_context* c_;
};

class Node {
 public:
  virtual ~Node() = default;
  virtual void open() {}                           // may allocate and throw; called before the run, and again for a new one
  virtual int process(Context ctx) noexcept = 0;   // RTGRAPH_OK, RTGRAPH_END (sources) or ctx.fail(...)
  virtual void reset() {}                          // forget the past
  virtual void close() {}
};

namespace detail {

struct Boxed {
  std::unique_ptr<Node> node;
  std::string open_error;
};

inline rtgraph_node box(std::unique_ptr<Node> node) {
  auto* boxed = new Boxed{std::move(node), {}};
  rtgraph_node table{};
  table.abi_version = RTGRAPH_ABI_VERSION;
  table.self = boxed;
  table.open = [](void* self) -> const char* {
    auto* b = static_cast<Boxed*>(self);
    try {
      b->node->open();
      return nullptr;
    } catch (const std::exception& e) {
      b->open_error = e.what();
      return b->open_error.c_str();
    }
  };
  table.process = [](void* self, rtgraph_context* c) { return static_cast<Boxed*>(self)->node->process(Context(c)); };
  table.reset = [](void* self) { static_cast<Boxed*>(self)->node->reset(); };
  table.close = [](void* self) { static_cast<Boxed*>(self)->node->close(); };
  table.destroy = [](void* self) { delete static_cast<Boxed*>(self); };
  return table;
}

}  // namespace detail
}  // namespace rtgraph
