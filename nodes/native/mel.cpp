// audio.mel: audio of any chunk size in, one log-mel row for every hop out.
#include <cmath>

#include "kernels/mel/bind_config.h"
#include "kernels/mel/mel.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

class Mel final : public Node {
 public:
  explicit Mel(const kernels::MelConfig& config)
      : stream_(std::make_shared<kernels::MelPlan>(config)),
        hop_samples_(static_cast<std::size_t>(config.hop_samples)),
        sample_ns_(1e9 / config.sample_rate_hz) {}

  void reset() override {
    stream_.reset();
    filled_ = silenced_ = 0;
  }

  int process(Context ctx) noexcept override {
    const float* audio = ctx.input<float>(0);
    const int64_t newest_ns = ctx.timestamp_ns();
    std::size_t left = ctx.input_size<float>(0);
    while (left > 0) {
      const std::size_t take = std::min(left, hop_samples_ - filled_);
      const std::size_t rows = stream_.push(audio, take, ctx.output<float>(0));
      audio += take, left -= take, filled_ = rows ? 0 : filled_ + take;
      if (rows == 0) break;
      // A chunk is stamped with its last sample, a row with the last sample that it heard.
      ctx.set_timestamp_ns(newest_ns - std::llround(static_cast<double>(left) * sample_ns_));
      ctx.emit();
    }
    if (stream_.replaced_samples() > silenced_) {
      ctx.count("silenced_samples", static_cast<int64_t>(stream_.replaced_samples() - silenced_));
      silenced_ = stream_.replaced_samples();
    }
    return RTGRAPH_OK;
  }

 private:
  kernels::MelStream stream_;
  const std::size_t hop_samples_;
  const double sample_ns_;
  std::size_t filled_ = 0;  // samples of the current hop that have come
  std::uint64_t silenced_ = 0;
};

}  // namespace

void add_mel(py::module_& m) {
  m.def("mel", [](const py::object& config) { return capsule<Mel>(kernels::mel_config_from(config)); },
        py::arg("config"), "config: a kernels.mel.MelConfig");
}

}  // namespace rtgraph::nodes
