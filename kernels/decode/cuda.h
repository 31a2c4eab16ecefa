// Owns the avatar decoder on a GPU: many sessions of one rig a launch, state on the device, so that a CUDA graph can
// hold it.
#pragma once

#include <cstdint>

#include "kernels/common/cuda.h"
#include "kernels/decode/decode.h"

namespace rtgraph::kernels {

inline constexpr int kMaxCudaInputs = 512, kMaxCudaJoints = 16;

// Device pointers into a DecodeBatch; the arrays that DecodeTables has too are laid out as there.
struct DecodeBatchTables {
  int sessions, vertices, gaussians, blocks, inputs, joints;
  const std::int32_t *block_vertex, *block_shape_start, *block_shape, *block_joint_start, *block_joint;
  const float *block_delta, *block_joint_weight;
  const std::int32_t *triangle, *valence_order, *fan_start, *fan;
  const std::int32_t* joint_parent;       // [joints]
  const float* joint_drive;               // [joints][6][inputs]
  const std::int32_t* gaussian_triangle;  // [gaussians]
  const float* gaussian_local;
};

struct DecodeBatchState {
  float* neutral;                // [sessions][vertices][3]
  float* joint_pivot;            // [sessions][joints][3]
  float* expression;             // [sessions][inputs] the last good one
  unsigned long long* replaced;  // [sessions]
};

class DecodeBatch {
 public:
  // Allocates on the current device; every session starts as the rig's own person. Throws std::invalid_argument where a
  // rig has more than 512 inputs or 16 joints, std::runtime_error where CUDA fails.
  DecodeBatch(const DecodePlan& plan, int sessions);

  // A person's neutral head and joint pivots (host arrays) for one session. Blocks; not for a graph.
  void set_identity(int session, const float* neutral, const float* joint_pivot);

  // Enqueues two to four launches; neither waits nor allocates. All pointers are the device's.
  // expression [sessions][inputs]; reset [sessions] or null: a session flagged non-zero forgets its last good one;
  // out: each array [sessions][...], the vertices always wanted, as the other two read them.
  void step(const float* expression, const std::uint8_t* reset, const DecodeOutputs& out, cudaStream_t stream);

  int sessions() const noexcept { return tables_.sessions; }
  // Replaced expressions of each session, on the device: [sessions].
  const unsigned long long* replaced() const noexcept { return replaced_.data(); }

 private:
  DeviceBuffer<std::int32_t> block_vertex_, block_shape_start_, block_shape_, block_joint_start_, block_joint_;
  DeviceBuffer<std::int32_t> triangle_, valence_order_, fan_start_, fan_, joint_parent_, gaussian_triangle_;
  DeviceBuffer<float> block_delta_, block_joint_weight_, joint_drive_, neutral_, joint_pivot_, expression_;
  DeviceBuffer<float> gaussian_local_;
  DeviceBuffer<unsigned long long> replaced_;
  DecodeBatchTables tables_{};
  DecodeBatchState state_{};
};

}  // namespace rtgraph::kernels
