// face.avatar_decoder: an expression frame into a head's vertices, normals and Gaussians, in one call.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <tuple>
#include <vector>

#include "kernels/decode/bind_rig.h"
#include "kernels/decode/decode.h"
#include "kernels/decode/drive.h"
#include "makers.h"

namespace rtgraph::nodes {
namespace {

// Ports in the order of nodes/face/avatar_decoder.py.
enum Outputs { kVertices, kNormals, kGaussians };
constexpr int kRow = 14;  // floats of a Gaussian: mean 3, rotation 4, scale 3, then colour and opacity, which stay

class AvatarDecoder final : public Node {
 public:
  // tint [gaussians][4]: linear RGB and opacity.
  AvatarDecoder(std::shared_ptr<const kernels::DecodePlan> plan, kernels::Drive drive, std::vector<float> tint,
                bool mesh, bool gaussians)
      : decoder_(std::move(plan)), drive_(std::move(drive)), tint_(std::move(tint)), mesh_(mesh), gaussians_(gaussians) {}

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
    if (rows)
      for (std::size_t i = 0; i < tint_.size() / 4; ++i) std::copy_n(tint_.data() + 4 * i, 4, rows + kRow * i + 10);
    ctx.emit((mesh_ ? 1u << kVertices | 1u << kNormals : 0u) | (gaussians_ ? 1u << kGaussians : 0u));
    return RTGRAPH_OK;
  }

 private:
  kernels::Decoder decoder_;
  kernels::Drive drive_;
  const std::vector<float> tint_;
  const bool mesh_, gaussians_;
};

}  // namespace

void add_avatar_decoder(py::module_& m) {
  m.def(
      "avatar_decoder",
      [](const py::object& rig, const std::vector<std::tuple<int, int, bool>>& correctives,
         const py::array_t<float, py::array::c_style>& tint, bool mesh, bool gaussians) {
        std::vector<kernels::Corrective> terms;
        for (const auto& [first, second, inverted] : correctives) terms.push_back({first, second, inverted});
        return capsule<AvatarDecoder>(kernels::decode_plan_from(rig, kernels::best_isa()),
                                      kernels::Drive(std::move(terms)),
                                      std::vector<float>(tint.data(), tint.data() + tint.size()), mesh, gaussians);
      },
      py::arg("rig"), py::arg("correctives"), py::arg("tint"), py::arg("mesh"), py::arg("gaussians"),
      "rig: a kernels.decode.Rig; correctives: (first, second, inverted); tint [G, 4]: linear RGB, opacity");
}

}  // namespace rtgraph::nodes
