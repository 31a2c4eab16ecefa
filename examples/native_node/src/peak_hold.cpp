// example.peak_hold: the largest magnitude of each array, held and let fall like the needle of a level meter.
#include <pybind11/pybind11.h>

#include <cmath>

#include "rtgraph/capsule.h"
#include "rtgraph/node.h"

namespace {

class PeakHold final : public rtgraph::Node {
 public:
  explicit PeakHold(float fall_per_s) : fall_per_s_(fall_per_s) {}

  void reset() override { level_ = 0, last_ns_ = -1; }

  // x: [n] float32 -> level: [1] float32. Time comes from the packets, so the fall does not depend on their rate.
  int process(rtgraph::Context ctx) noexcept override {
    const float* x = ctx.input<float>(0);
    float peak = 0;
    for (std::size_t i = 0; i < ctx.input_size<float>(0); ++i) peak = std::fmax(peak, std::fabs(x[i]));
    const double passed_s = last_ns_ < 0 ? 0 : static_cast<double>(ctx.timestamp_ns() - last_ns_) * 1e-9;
    last_ns_ = ctx.timestamp_ns();
    level_ = std::fmax(peak, level_ * std::exp(-fall_per_s_ * static_cast<float>(passed_s)));
    ctx.output<float>(0)[0] = level_;
    ctx.emit();
    return RTGRAPH_OK;
  }

 private:
  const float fall_per_s_;
  float level_ = 0;
  int64_t last_ns_ = -1;
};

}  // namespace

PYBIND11_MODULE(_peak_hold, m) {
  m.def("peak_hold", [](float fall_per_s) {
    return pybind11::reinterpret_steal<pybind11::object>(rtgraph::make_capsule(std::make_unique<PeakHold>(fall_per_s)));
  });
}
