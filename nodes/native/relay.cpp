// debug.pulse, debug.relay and debug.discard: a source, a pass-through and a sink that do nothing, for measuring the rest.
#include <cstring>

#include "makers.h"

namespace rtgraph::nodes {
namespace {

class Pulse final : public Node {
 public:
  explicit Pulse(int64_t count) : count_(count) {}

  void open() override { sent_ = 0; }
  void reset() override { sent_ = 0; }

  int process(Context ctx) noexcept override {
    if (count_ > 0 && sent_ == count_) return RTGRAPH_END;
    ctx.output<float>(0)[0] = static_cast<float>(sent_++);
    ctx.emit();
    return RTGRAPH_OK;
  }

 private:
  const int64_t count_;  // 0: without end
  int64_t sent_ = 0;
};

class Relay final : public Node {
 public:
  int process(Context ctx) noexcept override {
    ctx.forward(0, 0);
    ctx.emit();
    return RTGRAPH_OK;
  }
};

class Discard final : public Node {
 public:
  int process(Context) noexcept override { return RTGRAPH_OK; }
};

}  // namespace

void add_relay(py::module_& m) {
  m.def("pulse", [](int64_t count) { return capsule<Pulse>(count); }, py::arg("count"));
  m.def("relay", [] { return capsule<Relay>(); });
  m.def("discard", [] { return capsule<Discard>(); });
}

}  // namespace rtgraph::nodes
