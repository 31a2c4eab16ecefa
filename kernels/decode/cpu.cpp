// Owns one session's step of the avatar decoder; the packing of a rig is in pack.cpp, the arithmetic in simd.cpp.
#include <algorithm>
#include <cmath>

#include "kernels/decode/decode.h"

namespace rtgraph::kernels {

Decoder::Decoder(std::shared_ptr<const DecodePlan> plan) : plan_(std::move(plan)) {
  const DecodeTables& t = plan_->tables_;
  neutral_ = AlignedBuffer<float>(static_cast<std::size_t>(t.blocks) * 3 * kDecodeBlock);
  pivots_ = AlignedBuffer<float>(3 * plan_->joints());
  expression_ = AlignedBuffer<float>(plan_->inputs());
  transforms_ = AlignedBuffer<float>(12 * plan_->joints());
  positions_ = AlignedBuffer<float>(4 * static_cast<std::size_t>(t.vertices));
  faces_ = AlignedBuffer<float>(4 * static_cast<std::size_t>(t.triangles));
  frames_ = AlignedBuffer<float>(kDecodeFrame * static_cast<std::size_t>(t.framed_triangles));
  set_identity(plan_->neutral_.data(), plan_->joint_pivot_.data());
}

void Decoder::set_identity(const float* neutral, const float* joint_pivot) noexcept {
  const DecodeTables& t = plan_->tables_;
  for (int i = 0; i < t.blocks * kDecodeBlock; ++i) {
    const int v = t.block_vertex[i];
    if (v < 0) continue;
    float* block = neutral_.data() + i / kDecodeBlock * 3 * kDecodeBlock + i % kDecodeBlock;
    for (int axis = 0; axis < 3; ++axis) block[axis * kDecodeBlock] = neutral[3 * v + axis];
  }
  std::copy_n(joint_pivot, pivots_.size(), pivots_.data());
}

void Decoder::reset() noexcept {
  expression_.fill_zero();
  replaced_ = 0;
}

void Decoder::step(const float* expression, const DecodeOutputs& out) noexcept {
  const bool good = std::all_of(expression, expression + plan_->inputs(),
                                [](float x) { return std::fabs(x) <= 1000.0f; });
  if (good)
    std::copy_n(expression, plan_->inputs(), expression_.data());
  else
    ++replaced_;

  pose();
  const bool gaussians = out.gaussian_mean && plan_->gaussians() > 0;
  const DecodeWork work{.neutral = neutral_.data(),
                        .weights = expression_.data(),
                        .transforms = transforms_.data(),
                        .positions = out.normals || gaussians ? positions_.data() : nullptr,
                        .faces = faces_.data(),
                        .frames = frames_.data()};
  plan_->blend_(plan_->tables_, work, out.vertices);
  if (out.normals) plan_->normals_(plan_->tables_, work, out.normals);
  if (gaussians) plan_->gaussians_(plan_->tables_, work, out);
}

// Ry(yaw) Rx(pitch) Rz(roll) about each pivot, then the shift, then the parent's move.
void Decoder::pose() noexcept {
  const int inputs = plan_->inputs();
  for (int joint = 0; joint < plan_->joints(); ++joint) {
    double move[6];
    for (int k = 0; k < 6; ++k) {
      const float* drive = plan_->joint_drive_.data() + (joint * 6 + k) * inputs;
      double total = 0.0;
      for (int i = 0; i < inputs; ++i) total += static_cast<double>(drive[i]) * expression_[i];
      move[k] = total;
    }
    const double cy = std::cos(move[0]), sy = std::sin(move[0]), cp = std::cos(move[1]), sp = std::sin(move[1]);
    const double cr = std::cos(move[2]), sr = std::sin(move[2]);
    double local[3][4] = {{cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp, 0},
                          {cp * sr, cp * cr, -sp, 0},
                          {cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp, 0}};
    const float* pivot = pivots_.data() + 3 * joint;
    for (int row = 0; row < 3; ++row)
      local[row][3] = pivot[row] + move[3 + row] - local[row][0] * pivot[0] - local[row][1] * pivot[1] -
                      local[row][2] * pivot[2];

    float* transform = transforms_.data() + 12 * joint;
    const int parent = plan_->joint_parent_[joint];
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 4; ++column) {
        double value = local[row][column];
        if (parent >= 0) {
          const float* above = transforms_.data() + 12 * parent + 4 * row;
          value = above[0] * local[0][column] + above[1] * local[1][column] + above[2] * local[2][column];
          if (column == 3) value += above[3];
        }
        transform[4 * row + column] = static_cast<float>(value);
      }
  }
}

void blend_identity(const float* mean, const float* basis, const float* code, int codes, std::size_t n,
                    float* out) noexcept {
  std::copy_n(mean, n, out);
  for (int k = 0; k < codes; ++k) {
    const float* row = basis + static_cast<std::size_t>(k) * n;
    for (std::size_t i = 0; i < n; ++i) out[i] += code[k] * row[i];
  }
}

}  // namespace rtgraph::kernels
