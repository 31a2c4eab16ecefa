// face.one_step_denoiser: draws a frame's noise, runs the denoiser's step, and closes the mouth where nobody speaks.
#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

#include "bind_captured.h"
#include "captured_steps.h"
#include "kernels/common/philox.h"
#include "kernels/denoiser_step/bind_shape.h"
#include "kernels/denoiser_step/denoiser_step.h"
#include "kernels/linear/bind_precision.h"
#include "kernels/linear/bind_weights.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

// Ports in the order of nodes/face/one_step_denoiser.py.
enum Inputs { kHidden, kEmotion, kSpeech };
enum Outputs { kLatent, kFrame, kConfidence };

// Step: kernels::DenoiserStep or CapturedDenoiserStep.
template <class Step>
class OneStepDenoiser final : public Node {
 public:
  template <class... Args>
  OneStepDenoiser(std::uint64_t seed, bool fresh_noise, std::vector<int> articulation, Args&&... step)
      : step_(std::forward<Args>(step)...),
        noise_(static_cast<std::size_t>(step_.shape().latent_width)),
        previous_(static_cast<std::size_t>(step_.shape().latent_width)),
        seed_(seed),
        fresh_noise_(fresh_noise),
        articulation_(std::move(articulation)) {
    reset();
  }

  void reset() override {
    step_.reset(0);
    previous_.fill_zero();
    frames_ = 0;
    draw_noise();
  }

  int process(Context ctx) noexcept override {
    if (fresh_noise_) draw_noise();
    float* latent = ctx.output<float>(kLatent);
    float* frame = ctx.output<float>(kFrame);
    const int64_t replaced = step_.replaced_inputs();
    step_.step({.noise = noise_.data(),
                .hidden = ctx.input<float>(kHidden),
                .previous = previous_.data(),
                .emotion = ctx.input<float>(kEmotion)},
               {.latent = latent, .frame = frame, .confidence = ctx.output<float>(kConfidence)});
    if constexpr (kOnGpu<Step>)
      if (const char* failure = step_.failure()) return ctx.fail(failure);
    if (step_.replaced_inputs() > replaced) ctx.count("replaced_inputs", step_.replaced_inputs() - replaced);
    std::copy_n(latent, previous_.size(), previous_.data());
    ++frames_;
    if (const float* speech = ctx.input<float>(kSpeech)) close_mouth(frame, *speech);
    ctx.emit();
    return RTGRAPH_OK;
  }

 private:
  void draw_noise() noexcept {
    kernels::standard_normal(seed_, frames_, noise_.data(), static_cast<int>(noise_.size()));
  }

  // NaN counts as speech: a broken gate must not freeze the mouth.
  void close_mouth(float* frame, float speech) const noexcept {
    if (!(speech < 1.0f)) return;
    const float kept = std::max(speech, 0.0f);
    for (const int shape : articulation_) frame[shape] *= kept;
  }

  Step step_;
  kernels::AlignedBuffer<float> noise_;     // [latent_width]
  kernels::AlignedBuffer<float> previous_;  // [latent_width], the latent emitted one frame before
  const std::uint64_t seed_;
  const bool fresh_noise_;
  const std::vector<int> articulation_;  // numbers of the frame that only speech moves
  std::uint64_t frames_ = 0;
};

}  // namespace

void add_one_step_denoiser(py::module_& m) {
  using kernels::DenoiserWeights;
  py::class_<DenoiserWeights, std::shared_ptr<DenoiserWeights>>(m, "DenoiserWeights")
      .def(py::init([](const py::object& config, const py::dict& weights, const std::string& precision) {
             return std::make_shared<DenoiserWeights>(kernels::denoiser_shape_from(config), kernels::weight_map(weights),
                                                      kernels::precision_from_name(precision));
           }),
           py::arg("config"), py::arg("weights"), py::arg("precision"),
           "config: a DenoiserConfig; weights: its float32 arrays under torch's names. Serves any number of nodes.")
      .def_property_readonly("bytes", &DenoiserWeights::bytes);
  m.def(
      "one_step_denoiser",
      [](std::shared_ptr<DenoiserWeights> weights, std::uint64_t seed, bool fresh_noise,
         std::vector<int> articulation) {
        return capsule<OneStepDenoiser<kernels::DenoiserStep>>(seed, fresh_noise, std::move(articulation),
                                                               std::move(weights));
      },
      py::arg("weights"), py::arg("seed"), py::arg("fresh_noise"), py::arg("articulation"));
  m.def(
      "captured_one_step_denoiser",
      [](const py::object& captured, const py::object& config, std::uint64_t seed, bool fresh_noise,
         std::vector<int> articulation) {
        return capsule<OneStepDenoiser<CapturedDenoiserStep>>(seed, fresh_noise, std::move(articulation),
                                                              captured_graph(captured),
                                                              kernels::denoiser_shape_from(config));
      },
      py::arg("captured"), py::arg("config"), py::arg("seed"), py::arg("fresh_noise"), py::arg("articulation"),
      "captured: a kernels.common.captured.Captured of a denoiser's step, which must outlive the node");
}

}  // namespace rtgraph::nodes
