// face.mix: which region of the face comes from which source, in the frame path and so without Python.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "makers.h"
#include "one_euro.h"

namespace rtgraph::nodes {
namespace {

// Ports in the order of nodes/face/mix.py: each source has a face and its confidence.
enum Inputs { kVoice, kVoiceConfidence, kEyes, kEyesConfidence, kOther, kOtherConfidence };
enum Outputs { kFrame, kConfidence };
constexpr int kNumbers = 61;
constexpr int kRegions = 6;

using Face = std::array<float, kNumbers>;
using Shares = std::array<float, kRegions>;  // one number a region

struct MixConfig {
  std::array<int, kNumbers> region_of;
  Face low, high, gain;
  float unsure, sure;  // confidence at which a source counts for nothing, and from which it alone counts
  double fade_ns, silent_ns;
};

// The newest packet of a port that was finite.
class LastGood {
 public:
  const Face& take(const float* x, Context& ctx) {
    if (std::all_of(x, x + kNumbers, [](float v) { return std::isfinite(v); })) {
      std::copy_n(x, kNumbers, face_.begin());
    } else {
      ctx.count("bad_packets");
    }
    return face_;
  }
  const Face& last() const { return face_; }

 private:
  Face face_{};  // a face at rest
};

// 0..1; what is not a number is no confidence.
float share(float x) { return x > 0.0f ? std::min(x, 1.0f) : 0.0f; }

// A source that is laid over the voice's face, region by region.
class Overlay {
 public:
  Overlay(int port, Shares wanted) : port_(port), wanted_(wanted) {}

  void lay(const MixConfig& c, Context& ctx, double passed_ns, float* frame, float* sure) {
    const rtgraph_input& packet = ctx.packet(port_);
    if (packet.data == nullptr) return;
    const bool fresh = !begun_ || packet.seq != seq_;
    seq_ = packet.seq;
    silent_ns_ = fresh ? 0.0 : silent_ns_ + passed_ns;
    const Face& face = fresh ? good_.take(ctx.input<float>(port_), ctx) : good_.last();
    const float* confidence = ctx.input<float>(port_ + 1);
    const float step = c.fade_ns > 0 && begun_ ? static_cast<float>(passed_ns / c.fade_ns) : 1.0f;
    begun_ = true;
    for (int r = 0; r < kRegions; ++r) {
      const float given = confidence ? share(confidence[r]) : 1.0f;
      float goal = share((given - c.unsure) / (c.sure - c.unsure)) * wanted_[r];
      if (silent_ns_ > c.silent_ns) goal = 0.0f;
      weight_[r] += std::clamp(goal - weight_[r], -step, step);
      sure[r] += weight_[r] * (given - sure[r]);
    }
    for (int i = 0; i < kNumbers; ++i) frame[i] += weight_[c.region_of[i]] * (face[i] - frame[i]);
  }

 private:
  int port_;
  Shares wanted_;  // 1 for the regions that come from here
  Shares weight_{};
  LastGood good_;
  int64_t seq_ = 0;
  double silent_ns_ = 0.0;
  bool begun_ = false;
};

class Mix final : public Node {
 public:
  Mix(MixConfig config, OneEuro smoother, Shares eyes, Shares other)
      : config_(config), smoother_(std::move(smoother)), from_eyes_(eyes), from_other_(other) {
    reset();
  }

  void reset() override {
    last_ns_ = -1;
    voice_ = {};
    smoother_.reset();
    eyes_ = Overlay(kEyes, from_eyes_);
    other_ = Overlay(kOther, from_other_);
  }

  int process(Context ctx) noexcept override {
    const double passed_ns = last_ns_ < 0 ? 0.0 : static_cast<double>(ctx.timestamp_ns() - last_ns_);
    last_ns_ = ctx.timestamp_ns();
    float* frame = ctx.output<float>(kFrame);
    float* sure = ctx.output<float>(kConfidence);
    const Face& voice = voice_.take(ctx.input<float>(kVoice), ctx);
    std::copy(voice.begin(), voice.end(), frame);
    smoother_.smooth({frame, kNumbers}, passed_ns * 1e-9);
    const float* confidence = ctx.input<float>(kVoiceConfidence);
    for (int r = 0; r < kRegions; ++r) sure[r] = confidence ? share(confidence[r]) : 1.0f;
    eyes_.lay(config_, ctx, passed_ns, frame, sure);
    other_.lay(config_, ctx, passed_ns, frame, sure);
    for (int i = 0; i < kNumbers; ++i) frame[i] = std::clamp(frame[i] * config_.gain[i], config_.low[i], config_.high[i]);
    ctx.emit();
    return RTGRAPH_OK;
  }

 private:
  const MixConfig config_;
  OneEuro smoother_;  // of the voice's face
  const Shares from_eyes_, from_other_;
  LastGood voice_;
  Overlay eyes_{kEyes, {}}, other_{kOther, {}};
  int64_t last_ns_ = -1;
};

}  // namespace

void add_mix(py::module_& m) {
  m.def(
      "mix",
      [](std::array<int, kNumbers> region_of, Face low, Face high, Face gain, Face cutoff_hz, Face beta, float unsure,
         float sure, double fade_ms, double silent_ms, Shares from_eyes, Shares from_other) {
        const MixConfig config{region_of, low, high, gain, unsure, sure, fade_ms * 1e6, silent_ms * 1e6};
        return capsule<Mix>(config, OneEuro(cutoff_hz, beta), from_eyes, from_other);
      },
      py::arg("region_of"), py::arg("low"), py::arg("high"), py::arg("gain"), py::kw_only(), py::arg("cutoff_hz"),
      py::arg("beta"), py::arg("unsure"), py::arg("sure"), py::arg("fade_ms"), py::arg("silent_ms"),
      py::arg("from_eyes"), py::arg("from_other"));
}

}  // namespace rtgraph::nodes
