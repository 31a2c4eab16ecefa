// Owns the avatar decoder on a CPU: RigView (a rig's arrays), DecodePlan (the same, packed for speed), Decoder (one
// session's state and its step from expression to vertices, normals and Gaussians).
//
// The definitions stand in reference.py, which this equals. Only construction allocates. A plan is read-only and may
// serve any number of decoders and threads; a decoder belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/common/aligned.h"
#include "kernels/common/isa.h"

namespace rtgraph::kernels {

// A rig as its file has it. Pointers are read while a DecodePlan is built, and not kept. Metres, glTF axes.
struct RigView {
  int vertices = 0, triangles = 0, shapes = 0, inputs = 0, joints = 0, influences = 0, gaussians = 0;
  const float* neutral = nullptr;             // [vertices][3]
  const std::int32_t* triangle = nullptr;     // [triangles][3]
  const std::int32_t* shape_start = nullptr;  // [shapes + 1] into the two below
  const std::int32_t* shape_vertex = nullptr; // [entries] distinct within a shape
  const float* shape_delta = nullptr;         // [entries][3]
  const std::int32_t* joint_parent = nullptr; // [joints] -1 or an earlier joint
  const float* joint_pivot = nullptr;         // [joints][3]
  const float* joint_drive = nullptr;         // [joints][6][inputs] yaw, pitch, roll in radians; x, y, z in metres
  const std::int32_t* skin_joint = nullptr;   // [vertices][influences]
  const float* skin_weight = nullptr;         // [vertices][influences] rows sum to 1
  const std::int32_t* gaussian_triangle = nullptr;  // [gaussians]
  const float* gaussian_mean = nullptr;       // [gaussians][3] in the triangle's frame, in its size
  const float* gaussian_rotation = nullptr;   // [gaussians][4] unit quaternion w x y z, in the triangle's frame
  const float* gaussian_scale = nullptr;      // [gaussians][3] in the triangle's size
  const std::int32_t* weld = nullptr;         // [vertices] the first vertex at the same point; null: no two are welded
};

// Where a step writes. A null pointer is an output not wanted (and not computed); the three of a Gaussian go together.
struct DecodeOutputs {
  float* vertices = nullptr;           // [vertices][3]
  float* normals = nullptr;            // [vertices][3] unit
  float* gaussian_mean = nullptr;      // [gaussians][3]
  float* gaussian_rotation = nullptr;  // [gaussians][4] unit quaternion w x y z
  float* gaussian_scale = nullptr;     // [gaussians][3]
  int gaussian_stride = 0;             // floats from one Gaussian to the next in all three; 0: each is packed
};

inline constexpr int kDecodeBlock = 16;  // vertices that are blended together, Gaussians whose numbers lie together
inline constexpr int kDecodeLocal = 10;  // numbers of a Gaussian in its triangle's frame: mean, scale, rotation x y z w
inline constexpr int kDecodeFrame = 8;   // numbers of a triangle's frame: rotation x y z w, origin, size

// What the SIMD code reads and writes: plain data, pointers into a plan and a decoder.
struct DecodeTables {
  int blocks, vertices, triangles, gaussians, framed_triangles;
  const std::int32_t* block_vertex;        // [blocks][16] where a lane's vertex goes; -1: nowhere
  const std::int32_t* block_shape_start;   // [blocks + 1] into the two below
  const std::int32_t* block_shape;         // shapes that move a block
  const float* block_delta;                // [][3][16]
  const std::int32_t* block_joint_start;   // [blocks + 1] into the two below
  const std::int32_t* block_joint;         // joints that carry a block
  const float* block_joint_weight;         // [][16]
  const std::int32_t* triangle;            // [triangles][3]
  const std::int32_t* valence_order;       // [vertices] by number of triangles, so that the loops below run alike
  const std::int32_t* fan_start;           // [vertices + 1] into fan, in valence order
  const std::int32_t* fan;                 // the triangles around each vertex
  const std::int32_t* framed_triangle;     // [framed_triangles] those that carry Gaussians
  const std::int32_t* gaussian_frame;      // [gaussians, up to a multiple of 16] into framed_triangle
  const float* gaussian_local;             // [gaussians / 16, rounded up][kDecodeLocal][16]
};

// A decoder's scratch for one step.
struct DecodeWork {
  const float* neutral;     // [blocks][3][16]
  const float* weights;     // [shapes]
  const float* transforms;  // [joints][12] rows of 3 x 4
  float* positions;         // [vertices][4]
  float* faces;             // [triangles][4] twice the area along the normal
  float* frames;            // [framed_triangles][kDecodeFrame]
};

class DecodePlan {
 public:
  // Packs a rig; some tens of milliseconds for a head. Throws std::invalid_argument, naming the array and the entry,
  // where an index is out of range or a number is not finite, or where the machine lacks `isa`.
  explicit DecodePlan(const RigView& rig, Isa isa = best_isa());

  int vertices() const noexcept { return tables_.vertices; }
  int inputs() const noexcept { return inputs_; }
  int joints() const noexcept { return static_cast<int>(joint_parent_.size()); }
  int gaussians() const noexcept { return tables_.gaussians; }
  int shapes() const noexcept { return shapes_; }
  const DecodeTables& tables() const noexcept { return tables_; }
  const std::vector<float>& neutral() const noexcept { return neutral_; }                  // [vertices][3]
  const std::vector<float>& joint_pivot() const noexcept { return joint_pivot_; }          // [joints][3]
  const std::vector<float>& joint_drive() const noexcept { return joint_drive_; }          // [joints][6][inputs]
  const std::vector<std::int32_t>& joint_parent() const noexcept { return joint_parent_; } // [joints]
  // Bytes of deltas that a step streams.
  std::size_t delta_bytes() const noexcept { return block_delta_.size() * sizeof(float); }

 private:
  friend class Decoder;
  using Blend = void (*)(const DecodeTables&, const DecodeWork&, float* vertices) noexcept;
  using Normals = void (*)(const DecodeTables&, const DecodeWork&, float* normals) noexcept;
  using Gaussians = void (*)(const DecodeTables&, const DecodeWork&, const DecodeOutputs&) noexcept;

  void pack_blocks(const RigView& rig);
  void pack_fans(const RigView& rig);
  void pack_gaussians(const RigView& rig);

  int inputs_ = 0, shapes_ = 0;
  std::vector<float> neutral_, joint_pivot_, joint_drive_;
  std::vector<std::int32_t> joint_parent_;
  std::vector<std::int32_t> block_vertex_, block_shape_start_, block_shape_, block_joint_start_, block_joint_;
  std::vector<std::int32_t> triangle_, valence_order_, fan_start_, fan_, framed_triangle_, gaussian_frame_;
  AlignedBuffer<float> block_delta_, block_joint_weight_, gaussian_local_;
  DecodeTables tables_{};
  Blend blend_ = nullptr;
  Normals normals_ = nullptr;
  Gaussians gaussians_ = nullptr;
};

class Decoder {
 public:
  // Allocates what step needs. Throws std::bad_alloc.
  explicit Decoder(std::shared_ptr<const DecodePlan> plan);

  // The neutral head and joint pivots of a person, in place of the rig's. [vertices][3], [joints][3], finite.
  void set_identity(const float* neutral, const float* joint_pivot) noexcept;

  // One frame. expression [inputs]: shape weights, then what else drives the joints. Where a value is not finite or
  // beyond 1000 the whole expression is replaced by the last good one (at first the neutral) and counted.
  void step(const float* expression, const DecodeOutputs& out) noexcept;

  // Forgets the last good expression and the count; the identity stays.
  void reset() noexcept;

  const DecodePlan& plan() const noexcept { return *plan_; }
  std::uint64_t replaced_frames() const noexcept { return replaced_; }

 private:
  void pose() noexcept;

  std::shared_ptr<const DecodePlan> plan_;
  AlignedBuffer<float> neutral_, pivots_, expression_, transforms_, positions_, faces_, frames_;
  std::uint64_t replaced_ = 0;
};

// mean + code x basis: [n] + [codes] x [codes][n] -> out [n]. For neutral vertices and for pivots, once a person.
void blend_identity(const float* mean, const float* basis, const float* code, int codes, std::size_t n,
                    float* out) noexcept;

}  // namespace rtgraph::kernels
