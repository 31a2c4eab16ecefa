// face.avatar_decoder: an expression frame into a head's vertices, normals and Gaussians, in one call.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "bind_captured.h"
#include "captured_steps.h"
#include "kernels/decode/bind_rig.h"
#include "kernels/decode/decode.h"
#include "kernels/decode/drive.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

// Ports in the order of nodes/face/avatar_decoder.py.
enum Outputs { kVertices, kNormals, kGaussians };
constexpr int kRow = 14;  // floats of a Gaussian: mean 3, rotation 4, scale 3, then colour and opacity, which stay

// neutral [vertices][3], joint_pivot [joints][3].
struct Person : kernels::Decoder {
  Person(std::shared_ptr<const kernels::DecodePlan> plan, const float* neutral, const float* joint_pivot)
      : Decoder(std::move(plan)) {
    set_identity(neutral, joint_pivot);
  }
};

// Step: Person or CapturedDecoder.
template <class Step>
class AvatarDecoder final : public Node {
 public:
  // tint [gaussians][4]: linear RGB and opacity.
  template <class... Args>
  AvatarDecoder(kernels::Drive drive, std::vector<float> tint, bool mesh, bool gaussians, Args&&... step)
      : decoder_(std::forward<Args>(step)...), drive_(std::move(drive)), tint_(std::move(tint)), mesh_(mesh), gaussians_(gaussians) {}

  void reset() override {
    decoder_.reset();
    drive_.reset();
  }

  int process(Context ctx) noexcept override {
    const int64_t replaced = drive_.replaced_frames(), clamped = drive_.clamped_values();
    const float* inputs = drive_.step(ctx.input<float>(0));
    if (drive_.replaced_frames() > replaced) ctx.count("replaced_frames");
    if (drive_.clamped_values() > clamped) ctx.count("clamped_values", drive_.clamped_values() - clamped);

    float* rows = gaussians_ ? ctx.output<float>(kGaussians) : nullptr;
    decoder_.step(inputs, {.vertices = mesh_ ? ctx.output<float>(kVertices) : nullptr,
                           .normals = mesh_ ? ctx.output<float>(kNormals) : nullptr,
                           .gaussian_mean = rows,
                           .gaussian_rotation = rows ? rows + 3 : nullptr,
                           .gaussian_scale = rows ? rows + 7 : nullptr,
                           .gaussian_stride = kRow});
    if constexpr (kOnGpu<Step>)
      if (const char* failure = decoder_.failure()) return ctx.fail(failure);
    if (rows)
      for (std::size_t i = 0; i < tint_.size() / 4; ++i) std::copy_n(tint_.data() + 4 * i, 4, rows + kRow * i + 10);
    ctx.emit((mesh_ ? 1u << kVertices | 1u << kNormals : 0u) | (gaussians_ ? 1u << kGaussians : 0u));
    return RTGRAPH_OK;
  }

 private:
  Step decoder_;
  kernels::Drive drive_;
  const std::vector<float> tint_;
  const bool mesh_, gaussians_;
};

using Correctives = std::vector<std::tuple<int, int, bool>>;

kernels::Drive drive_from(const Correctives& correctives) {
  std::vector<kernels::Corrective> terms;
  for (const auto& [first, second, inverted] : correctives) terms.push_back({first, second, inverted});
  return kernels::Drive(std::move(terms));
}

}  // namespace

void add_avatar_decoder(py::module_& m) {
  using kernels::DecodePlan;
  // Of this module alone: rtgraph.kernels._cpu may have a class of its own for it.
  py::class_<DecodePlan, std::shared_ptr<DecodePlan>>(m, "AvatarPlan", py::module_local())
      .def(py::init([](const py::object& rig) { return kernels::decode_plan_from(rig, kernels::best_isa()); }),
           py::arg("rig"), "A kernels.decode.Rig, packed. Serves any number of nodes and persons.");
  using Floats = py::array_t<float, py::array::c_style>;
  m.def(
      "avatar_decoder",
      [](std::shared_ptr<DecodePlan> plan, const Floats& neutral, const Floats& joint_pivot,
         const Correctives& correctives, const Floats& tint, bool mesh, bool gaussians) {
        if (neutral.size() != 3 * plan->vertices() || joint_pivot.size() != 3 * plan->joints())
          throw std::invalid_argument("avatar_decoder: neutral and joint_pivot: expected the plan's " +
                                      std::to_string(plan->vertices()) + " vertices and " +
                                      std::to_string(plan->joints()) + " joints, got " +
                                      std::to_string(neutral.size()) + " and " + std::to_string(joint_pivot.size()) +
                                      " numbers");
        return capsule<AvatarDecoder<Person>>(drive_from(correctives), std::vector<float>(tint.data(), tint.data() + tint.size()),
                                              mesh, gaussians, std::move(plan), neutral.data(), joint_pivot.data());
      },
      py::arg("plan"), py::arg("neutral"), py::arg("joint_pivot"), py::arg("correctives"), py::arg("tint"),
      py::arg("mesh"), py::arg("gaussians"),
      "neutral [V, 3], joint_pivot [J, 3]: the person; correctives: (first, second, inverted); tint [G, 4]: linear "
      "RGB, opacity");
  m.def(
      "captured_avatar_decoder",
      [](const py::object& captured, int vertices, const Correctives& correctives, const Floats& tint, bool mesh,
         bool gaussians) {
        kernels::Drive drive = drive_from(correctives);
        const int inputs = drive.inputs();
        return capsule<AvatarDecoder<CapturedDecoder>>(std::move(drive),
                                                       std::vector<float>(tint.data(), tint.data() + tint.size()), mesh,
                                                       gaussians, captured_graph(captured), inputs, vertices,
                                                       gaussians ? static_cast<int>(tint.size() / 4) : 0, mesh);
      },
      py::arg("captured"), py::arg("vertices"), py::arg("correctives"), py::arg("tint"), py::arg("mesh"),
      py::arg("gaussians"),
      "captured: a kernels.common.captured.Captured of nodes/face/captured.py's avatar, which must outlive the node");
}

}  // namespace rtgraph::nodes
