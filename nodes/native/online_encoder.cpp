// face.online_encoder: collects the mel hops of a frame, then runs the encoder's step.
#include <pybind11/stl.h>

#include <algorithm>

#include "bind_captured.h"
#include "captured_steps.h"
#include "kernels/encoder_step/bind_shape.h"
#include "kernels/encoder_step/encoder_step.h"
#include "kernels/linear/bind_precision.h"
#include "kernels/linear/bind_weights.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

// Ports in the order of nodes/face/online_encoder.py.
enum Inputs { kMel, kPrevious, kEyes, kEmotion };

// Step: kernels::EncoderStep or CapturedEncoderStep.
template <class Step>
class OnlineEncoder final : public Node {
 public:
  template <class... Args>
  explicit OnlineEncoder(int64_t eyes_timeout_ns, Args&&... step)
      : step_(std::forward<Args>(step)...),
        bands_(static_cast<std::size_t>(step_.shape().mel_bands)),
        hops_(static_cast<std::size_t>(step_.shape().hops_per_frame) * bands_),
        eyes_timeout_ns_(eyes_timeout_ns) {}

  void reset() override {
    step_.reset(0);
    filled_ = 0;
  }

  int process(Context ctx) noexcept override {
    std::copy_n(ctx.input<float>(kMel), bands_, hops_.data() + filled_);
    filled_ += bands_;
    if (filled_ < hops_.size()) return RTGRAPH_OK;
    filled_ = 0;
    const bool eyes_are_old = ctx.timestamp_ns() - ctx.packet(kEyes).timestamp_ns > eyes_timeout_ns_;
    const int64_t replaced = step_.replaced_inputs();
    step_.step({.mel = hops_.data(),
                .previous = ctx.input<float>(kPrevious),
                .eyes = eyes_are_old ? nullptr : ctx.input<float>(kEyes),
                .emotion = ctx.input<float>(kEmotion)},
               ctx.output<float>(0));
    if constexpr (kOnGpu<Step>)
      if (const char* failure = step_.failure()) return ctx.fail(failure);
    if (step_.replaced_inputs() > replaced) ctx.count("replaced_inputs", step_.replaced_inputs() - replaced);
    ctx.emit();
    return RTGRAPH_OK;
  }

 private:
  Step step_;
  const std::size_t bands_;
  kernels::AlignedBuffer<float> hops_;  // [hops_per_frame, mel_bands] of the frame that is being filled
  std::size_t filled_ = 0;              // floats of it
  const int64_t eyes_timeout_ns_;
};

}  // namespace

void add_online_encoder(py::module_& m) {
  using kernels::EncoderWeights;
  py::class_<EncoderWeights, std::shared_ptr<EncoderWeights>>(m, "EncoderWeights")
      .def(py::init([](const py::object& config, const py::dict& weights, const std::string& precision) {
             return std::make_shared<EncoderWeights>(kernels::encoder_shape_from(config), kernels::weight_map(weights),
                                                     kernels::precision_from_name(precision));
           }),
           py::arg("config"), py::arg("weights"), py::arg("precision"),
           "config: an EncoderConfig; weights: its float32 arrays under torch's names. Serves any number of nodes.")
      .def_property_readonly("bytes", &EncoderWeights::bytes);
  m.def(
      "online_encoder",
      [](std::shared_ptr<EncoderWeights> weights, int64_t eyes_timeout_ns) {
        return capsule<OnlineEncoder<kernels::EncoderStep>>(eyes_timeout_ns, std::move(weights));
      },
      py::arg("weights"), py::arg("eyes_timeout_ns"));
  m.def(
      "captured_online_encoder",
      [](const py::object& captured, const py::object& config, int64_t eyes_timeout_ns) {
        return capsule<OnlineEncoder<CapturedEncoderStep>>(eyes_timeout_ns, captured_graph(captured),
                                                           kernels::encoder_shape_from(config));
      },
      py::arg("captured"), py::arg("config"), py::arg("eyes_timeout_ns"),
      "captured: a kernels.common.captured.Captured of an encoder's step, which must outlive the node");
}

}  // namespace rtgraph::nodes
