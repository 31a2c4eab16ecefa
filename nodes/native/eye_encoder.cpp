// eye.encoder: runs the eye encoder's step on a pair of images and judges how far they can be trusted.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "bind_captured.h"
#include "captured_steps.h"
#include "kernels/eye_encoder_step/bind_shape.h"
#include "kernels/eye_encoder_step/eye_encoder_step.h"
#include "kernels/linear/bind_weights.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

// Ports in the order of nodes/eye/encoder.py.
enum Outputs { kFeatures, kState, kRawState };

// An eye's seven numbers, in the order of rtgraph.models.expression.EYE.
enum Numbers { kYaw, kPitch, kLid, kSquint, kWide, kPupil, kConfidence, kNumbers };

// What is remembered of one eye.
struct Memory {
  std::vector<std::uint8_t> image;  // the last one
  bool seen = false;
  int64_t changed_ns = 0;           // when an image last differed from the one before
  std::array<float, 2> gaze{};      // while the lid was last open
  float pupil_mm = 4;
};

bool is_flat(const std::uint8_t* image, std::size_t pixels) {
  std::int64_t sum = 0, squares = 0;
  for (std::size_t i = 0; i < pixels; ++i) sum += image[i], squares += image[i] * image[i];
  const double count = static_cast<double>(pixels), mean = static_cast<double>(sum) / count;
  return static_cast<double>(squares) / count - mean * mean < 4.0;  // two grey levels of spread
}

// Step: kernels::EyeEncoderStep or CapturedEyeEncoderStep.
template <class Step>
class EyeEncoder final : public Node {
 public:
  template <class... Args>
  EyeEncoder(int height, int width, int64_t frozen_ns, float held_below, Args&&... step)
      : step_(std::forward<Args>(step)..., height, width),
        pixels_(static_cast<std::size_t>(height) * width),
        missing_(pixels_),
        frozen_ns_(frozen_ns),
        held_below_(held_below) {
    for (Memory& eye : memory_) eye.image.resize(pixels_);
    reset();
  }

  void reset() override {
    for (Memory& eye : memory_) {
      eye.seen = false;
      eye.gaze = {0, 0};
      eye.pupil_mm = 4;
    }
  }

  int process(Context ctx) noexcept override {
    std::array<const std::uint8_t*, 2> images{ctx.input<std::uint8_t>(0), ctx.input<std::uint8_t>(1)};
    std::array<bool, 2> usable;
    for (int eye = 0; eye < 2; ++eye) {
      usable[eye] = judge(memory_[eye], images[eye], ctx);
      if (images[eye] == nullptr) images[eye] = missing_.data();
    }
    float* raw = ctx.output<float>(kRawState);
    std::array<float, 2> mirrored;
    step_.step(images[0], images[1], ctx.output<float>(kFeatures), raw, mirrored.data());
    if constexpr (kOnGpu<Step>)
      if (const char* failure = step_.failure()) return ctx.fail(failure);
    notice_mirrored(usable, mirrored, ctx);
    for (int eye = 0; eye < 2; ++eye)
      if (!usable[eye]) raw[eye * kNumbers + kConfidence] = 0;
    float* state = ctx.output<float>(kState);
    std::copy_n(raw, 2 * kNumbers, state);
    for (int eye = 0; eye < 2; ++eye) hold(memory_[eye], state + eye * kNumbers);
    ctx.emit();
    return RTGRAPH_OK;
  }

 private:
  // False where there is no image, or one that shows nothing or has stood still for too long.
  bool judge(Memory& eye, const std::uint8_t* image, Context ctx) noexcept {
    if (image == nullptr) {
      ctx.count("missing_images");
      return false;
    }
    const int64_t now = ctx.timestamp_ns();
    if (!eye.seen || std::memcmp(eye.image.data(), image, pixels_) != 0) {
      std::memcpy(eye.image.data(), image, pixels_);
      eye.seen = true;
      eye.changed_ns = now;
    }
    eye.changed_ns = std::min(eye.changed_ns, now);  // a clock that jumped back
    if (is_flat(image, pixels_)) {
      ctx.count("flat_images");
      return false;
    }
    if (now - eye.changed_ns >= frozen_ns_) {
      ctx.count("frozen_images");
      return false;
    }
    return true;
  }

  // Both eyes the wrong way round: left and right are swapped, or both cameras see a mirror.
  void notice_mirrored(std::array<bool, 2>& usable, const std::array<float, 2>& mirrored, Context ctx) noexcept {
    std::array<bool, 2> wrong;
    for (int eye = 0; eye < 2; ++eye) wrong[eye] = usable[eye] && mirrored[eye] > 0.5f;
    if (wrong[0] && wrong[1])
      ctx.count("swapped_images");
    else if (wrong[0] || wrong[1])
      ctx.count("mirrored_images");
    for (int eye = 0; eye < 2; ++eye) usable[eye] = usable[eye] && !wrong[eye];
  }

  // Behind a closed lid the picture cannot tell gaze and pupil: they stay as they were.
  void hold(Memory& eye, float* numbers) const noexcept {
    if (numbers[kLid] < held_below_) {
      numbers[kYaw] = eye.gaze[0], numbers[kPitch] = eye.gaze[1], numbers[kPupil] = eye.pupil_mm;
    } else if (numbers[kConfidence] > 0) {
      eye.gaze = {numbers[kYaw], numbers[kPitch]}, eye.pupil_mm = numbers[kPupil];
    }
  }

  Step step_;
  const std::size_t pixels_;
  const std::vector<std::uint8_t> missing_;  // black
  const int64_t frozen_ns_;
  const float held_below_;
  std::array<Memory, 2> memory_;
};

}  // namespace

void add_eye_encoder(py::module_& m) {
  m.def(
      "eye_encoder",
      [](const py::object& config, const std::array<float, 7>& decode, const py::dict& weights, int height, int width,
         int64_t frozen_ns, float held_below) {
        return capsule<EyeEncoder<kernels::EyeEncoderStep>>(height, width, frozen_ns, held_below,
                                                            kernels::eye_encoder_shape_from(config, decode),
                                                            kernels::weight_map(weights));
      },
      py::arg("config"), py::arg("decode"), py::arg("weights"), py::arg("height"), py::arg("width"),
      py::arg("frozen_ns"), py::arg("held_below"),
      "config, decode: as models/eye_weights.py has them; weights: both_heads of models/eye_calibration.py");
  m.def(
      "captured_eye_encoder",
      [](const py::object& captured, int features, int height, int width, int64_t frozen_ns, float held_below) {
        return capsule<EyeEncoder<CapturedEyeEncoderStep>>(height, width, frozen_ns, held_below, captured_graph(captured),
                                                           features);
      },
      py::arg("captured"), py::arg("features"), py::arg("height"), py::arg("width"), py::arg("frozen_ns"),
      py::arg("held_below"),
      "captured: a kernels.common.captured.Captured of an EyeEncoderDevice's step, which must outlive the node; "
      "features: of one eye");
}

}  // namespace rtgraph::nodes
