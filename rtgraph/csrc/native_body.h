// NativeBody: runs a node that implements the C contract of rtgraph/node.h.
#pragma once

#include <vector>

#include "rtgraph/node.h"
#include "segment.h"

namespace rtgraph {

// The table and the node behind it belong to the caller and outlive the body.
class NativeBody final : public Body {
 public:
  explicit NativeBody(const rtgraph_node* table) : table_(table) {
    context_.runtime = this;
    context_.emit = [](rtgraph_context* c, uint32_t ports) { self(c).emit(ports); };
    context_.now_ns = [](const rtgraph_context* c) { return self(c).firing_->now_ns(); };
    context_.stopping = [](const rtgraph_context* c) { return int{self(c).firing_->stopping()}; };
    context_.observe_clock = [](rtgraph_context* c, int64_t device_ns, int64_t at_ns) {
      self(c).firing_->observe_clock(device_ns, at_ns);
    };
    context_.waited = [](rtgraph_context* c, int64_t ns) { self(c).firing_->waited(ns); };
    context_.count = [](rtgraph_context* c, const char* what, int64_t n) { self(c).firing_->count(what, n); };
  }

  bool hosted() const noexcept override { return false; }

  // After the node's ports are known, before the run.
  void prepare(NodeState& node) {
    inputs_.resize(node.ports.size());
    outputs_.resize(node.outputs.size());
    for (OutPort& o : node.outputs) {
      o.buffer = std::make_unique<std::byte[]>(o.bytes);
      o.spare = std::make_unique<std::byte[]>(o.bytes);
    }
    context_.inputs = inputs_.data();
    context_.outputs = outputs_.data();
  }

  Outcome process(Firing& firing) noexcept override {
    firing_ = &firing;
    NodeState& node = firing.node();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const InPort* in = firing.argument(i);
      inputs_[i] = in ? rtgraph_input{in->value.data, static_cast<int64_t>(in->edge->bytes), in->stamp->timestamp_ns, in->stamp->seq}
                      : rtgraph_input{};
    }
    for (std::size_t o = 0; o < outputs_.size(); ++o) fresh_buffer(node, o);
    context_.timestamp_ns = firing.stamp().timestamp_ns;
    context_.seq = firing.stamp().seq;
    context_.error = nullptr;
    emitted_ = false;
    switch (table_->process(table_->self, &context_)) {
      case RTGRAPH_OK: return Outcome::ok;
      case RTGRAPH_END: return Outcome::end;
      default:
        node.failure.message = context_.error ? context_.error : "the node failed and gave no reason";
        return Outcome::error;
    }
  }
  void hot(HotLines& lines) const override {
    lines.add(this, sizeof *this);
    lines.add(table_, sizeof *table_);
    lines.add(inputs_);
    lines.add(outputs_);
  }

 private:
  static NativeBody& self(const rtgraph_context* c) { return *static_cast<NativeBody*>(c->runtime); }

  // The first emission waits until the node returns, which spares its successors a nested call; a second one sends
  // it on first. What was emitted must not be overwritten meanwhile, hence two buffers.
  void emit(uint32_t ports) {
    if (emitted_) firing_->flush();
    emitted_ = true;
    NodeState& node = firing_->node();
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      if ((ports >> o & 1) == 0) continue;
      firing_->put(o, Value{static_cast<const std::byte*>(outputs_[o].data), nullptr}, context_.timestamp_ns);
      fresh_buffer(node, o);
    }
  }
  void fresh_buffer(NodeState& node, std::size_t o) {
    OutPort& port = node.outputs[o];
    std::byte* free = port.value.data == port.buffer.get() ? port.spare.get() : port.buffer.get();
    outputs_[o] = rtgraph_output{free, static_cast<int64_t>(port.bytes)};
  }

  const rtgraph_node* table_;
  rtgraph_context context_{};
  std::vector<rtgraph_input> inputs_;
  std::vector<rtgraph_output> outputs_;
  Firing* firing_ = nullptr;
  bool emitted_ = false;
};

}  // namespace rtgraph
