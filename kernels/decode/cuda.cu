// Owns the GPU's avatar decoder: blend and skin, normals, Gaussians, one kernel each (definitions in reference.py).
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/decode/cuda.h"

namespace rtgraph::kernels {
namespace {

constexpr int kThreads = 128;
constexpr int kTile = 4;  // sessions that share one reading of the deltas

__device__ float3 operator+(float3 a, float3 b) { return make_float3(a.x + b.x, a.y + b.y, a.z + b.z); }
__device__ float3 operator-(float3 a, float3 b) { return make_float3(a.x - b.x, a.y - b.y, a.z - b.z); }
__device__ float3 operator*(float s, float3 a) { return make_float3(s * a.x, s * a.y, s * a.z); }
__device__ float dot(float3 a, float3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
__device__ float3 cross(float3 a, float3 b) {
  return make_float3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
__device__ float3 point(const float* points, int i) {
  return make_float3(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
}
__device__ void put(float* points, int i, float3 p) {
  points[3 * i] = p.x, points[3 * i + 1] = p.y, points[3 * i + 2] = p.z;
}

// One joint's own move from its drive: rows of 3 x 4. Ry(yaw) Rx(pitch) Rz(roll) about the pivot, then the shift.
__device__ void local_move(const float* move, const float* pivot, float* rows) {
  float sy, cy, sp, cp, sr, cr;
  sincosf(move[0], &sy, &cy), sincosf(move[1], &sp, &cp), sincosf(move[2], &sr, &cr);
  const float turn[9] = {cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp, cp * sr, cp * cr, -sp,
                         cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp};
  for (int row = 0; row < 3; ++row) {
    const float* t = turn + 3 * row;
    rows[4 * row] = t[0], rows[4 * row + 1] = t[1], rows[4 * row + 2] = t[2];
    rows[4 * row + 3] = pivot[row] + move[3 + row] - t[0] * pivot[0] - t[1] * pivot[1] - t[2] * pivot[2];
  }
}

// The session's expression, or its last good one, into `weights`; then its joints' transforms. By all threads of the
// block, in every block of a session: cheaper than a launch of its own.
__device__ void pose(const DecodeBatchTables& tables, const DecodeBatchState& state, const float* expression,
                     const std::uint8_t* reset, int session, float* weights, float (*moves)[6],
                     float (*transforms)[12]) {
  const int thread = threadIdx.x, inputs = tables.inputs, joints = tables.joints;
  const float* given = expression + static_cast<std::size_t>(session) * inputs;
  const float* kept = state.expression + static_cast<std::size_t>(session) * inputs;
  const bool fresh = reset != nullptr && reset[session] != 0;
  bool good = true;
  for (int i = thread; i < inputs; i += kThreads) good &= fabsf(given[i]) <= 1000.0f;
  good = __syncthreads_and(good);
  for (int i = thread; i < inputs; i += kThreads) weights[i] = good ? given[i] : fresh ? 0.0f : kept[i];
  __syncthreads();
  for (int i = thread; i < 6 * joints; i += kThreads) {
    const float* drive = tables.joint_drive + i * inputs;
    float total = 0.0f;
    for (int k = 0; k < inputs; ++k) total += drive[k] * weights[k];
    moves[i / 6][i % 6] = total;
  }
  __syncthreads();
  const float* pivots = state.joint_pivot + static_cast<std::size_t>(session) * joints * 3;
  for (int joint = thread; joint < joints; joint += kThreads)
    local_move(moves[joint], pivots + 3 * joint, transforms[joint]);
  __syncthreads();
  for (int joint = 0; joint < joints; ++joint) {  // twelve threads a joint, parents first
    const int parent = tables.joint_parent[joint];
    float value = 0.0f;
    if (parent >= 0 && thread < 12) {
      const float *above = transforms[parent] + thread / 4 * 4, *own = transforms[joint] + thread % 4;
      value = above[0] * own[0] + above[1] * own[4] + above[2] * own[8] + (thread % 4 == 3 ? above[3] : 0.0f);
    }
    __syncthreads();
    if (parent >= 0 && thread < 12) transforms[joint][thread] = value;
    __syncthreads();
  }
}

// Grid [ceil(blocks * 16 / kThreads)][ceil(sessions / Tile)]: a thread blends and skins one vertex of Tile sessions.
template <int Tile>
__global__ void __launch_bounds__(kThreads)
    decode_blend(DecodeBatchTables tables, DecodeBatchState state, const float* expression, const std::uint8_t* reset,
                 float* vertices) {
  __shared__ float weights[Tile][kMaxCudaInputs];
  __shared__ float transforms[Tile][kMaxCudaJoints][12];
  __shared__ float moves[kMaxCudaJoints][6];
  const int first = blockIdx.y * Tile;
  for (int tile = 0; tile < Tile; ++tile)
    if (first + tile < tables.sessions)
      pose(tables, state, expression, reset, first + tile, weights[tile], moves, transforms[tile]);
  __syncthreads();

  const int at = blockIdx.x * kThreads + threadIdx.x, block = at / kDecodeBlock, lane = at % kDecodeBlock;
  const int vertex = block < tables.blocks ? tables.block_vertex[at] : -1;
  if (vertex < 0) return;
  float3 p[Tile];
  for (int tile = 0; tile < Tile; ++tile) {
    const int session = min(first + tile, tables.sessions - 1);
    p[tile] = point(state.neutral + static_cast<std::size_t>(session) * tables.vertices * 3, vertex);
  }
  for (int i = tables.block_shape_start[block]; i < tables.block_shape_start[block + 1]; ++i) {
    const float* delta = tables.block_delta + static_cast<std::size_t>(i) * 3 * kDecodeBlock + lane;
    const float3 d = make_float3(delta[0], delta[kDecodeBlock], delta[2 * kDecodeBlock]);
    const int shape = tables.block_shape[i];
    for (int tile = 0; tile < Tile; ++tile) p[tile] = p[tile] + weights[tile][shape] * d;
  }
  float3 moved[Tile];
  for (int tile = 0; tile < Tile; ++tile) moved[tile] = make_float3(0.0f, 0.0f, 0.0f);
  for (int i = tables.block_joint_start[block]; i < tables.block_joint_start[block + 1]; ++i) {
    const float weight = tables.block_joint_weight[i * kDecodeBlock + lane];
    for (int tile = 0; tile < Tile; ++tile) {
      const float* m = transforms[tile][tables.block_joint[i]];
      const float3 q = p[tile];
      moved[tile] = moved[tile] + weight * make_float3(m[0] * q.x + m[1] * q.y + m[2] * q.z + m[3],
                                                       m[4] * q.x + m[5] * q.y + m[6] * q.z + m[7],
                                                       m[8] * q.x + m[9] * q.y + m[10] * q.z + m[11]);
    }
  }
  for (int tile = 0; tile < Tile; ++tile)
    if (first + tile < tables.sessions)
      put(vertices + static_cast<std::size_t>(first + tile) * tables.vertices * 3, vertex, moved[tile]);
}

// Grid [ceil(vertices / kThreads)][sessions]: a thread sums the triangles around one vertex.
__global__ void __launch_bounds__(kThreads) decode_normals(DecodeBatchTables tables, const float* vertices,
                                                           float* normals) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= tables.vertices) return;
  const std::size_t session = static_cast<std::size_t>(blockIdx.y) * tables.vertices * 3;
  float3 sum = make_float3(0.0f, 0.0f, 0.0f);
  for (int k = tables.fan_start[i]; k < tables.fan_start[i + 1]; ++k) {
    const std::int32_t* corner = tables.triangle + 3 * tables.fan[k];
    const float3 a = point(vertices + session, corner[0]);
    sum = sum + cross(point(vertices + session, corner[1]) - a, point(vertices + session, corner[2]) - a);
  }
  const float length = sqrtf(dot(sum, sum));
  put(normals + session, tables.valence_order[i],
      length > 1e-15f ? (1.0f / length) * sum : make_float3(0.0f, 0.0f, 1.0f));
}

// Unit quaternion x y z w of the rotation with columns c0 c1 c2 (S. Shepperd, Quaternion from rotation matrix, 1978).
__device__ float4 quaternion(float3 c0, float3 c1, float3 c2) {
  const float x4 = 1 + c0.x - c1.y - c2.z, y4 = 1 - c0.x + c1.y - c2.z, z4 = 1 - c0.x - c1.y + c2.z;
  const float w4 = 1 + c0.x + c1.y + c2.z;
  const float xy = c1.x + c0.y, xz = c2.x + c0.z, yz = c2.y + c1.z;
  const float xw = c1.z - c2.y, yw = c2.x - c0.z, zw = c0.y - c1.x;
  float most = w4;
  float4 q = make_float4(xw, yw, zw, w4);
  if (x4 > most) most = x4, q = make_float4(x4, xy, xz, xw);
  if (y4 > most) most = y4, q = make_float4(xy, y4, yz, yw);
  if (z4 > most) most = z4, q = make_float4(xz, yz, z4, zw);
  const float scale = 0.5f / sqrtf(most);
  return make_float4(scale * q.x, scale * q.y, scale * q.z, scale * q.w);
}

// Grid [ceil(gaussians / kThreads)][sessions]: a thread carries one Gaussian with its triangle.
__global__ void __launch_bounds__(kThreads) decode_gaussians(DecodeBatchTables tables, const float* vertices,
                                                             float* mean, float* rotation, float* scale) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= tables.gaussians) return;
  vertices += static_cast<std::size_t>(blockIdx.y) * tables.vertices * 3;
  const std::size_t at = static_cast<std::size_t>(blockIdx.y) * tables.gaussians + i;
  const std::int32_t* corner = tables.triangle + 3 * tables.gaussian_triangle[i];
  const float3 a = point(vertices, corner[0]), b = point(vertices, corner[1]), c = point(vertices, corner[2]);
  const float3 edge = b - a, normal = cross(edge, c - a);
  const float length = sqrtf(dot(edge, edge)), area = sqrtf(dot(normal, normal));
  const bool solid = area > 1e-15f;
  const float3 first = solid ? (1.0f / length) * edge : make_float3(1.0f, 0.0f, 0.0f);
  const float3 second = solid ? (1.0f / area) * normal : make_float3(0.0f, 1.0f, 0.0f);
  const float3 third = cross(first, second);
  const float size = 0.5f * (length + (solid ? area / length : 0.0f));

  const float* local = tables.gaussian_local + kDecodeLocal * (i / kDecodeBlock * kDecodeBlock) + i % kDecodeBlock;
  float r[kDecodeLocal];
  for (int k = 0; k < kDecodeLocal; ++k) r[k] = local[k * kDecodeBlock];
  const float3 turned = r[0] * first + r[1] * second + r[2] * third;
  const float3 moved = (1.0f / 3.0f) * (a + b + c) + size * turned;
  const float4 q = quaternion(first, second, third);
  for (int axis = 0; axis < 3; ++axis) scale[3 * at + axis] = size * r[3 + axis];
  mean[3 * at] = moved.x, mean[3 * at + 1] = moved.y, mean[3 * at + 2] = moved.z;
  rotation[4 * at] = q.w * r[9] - q.x * r[6] - q.y * r[7] - q.z * r[8];
  rotation[4 * at + 1] = q.w * r[6] + q.x * r[9] + q.y * r[8] - q.z * r[7];
  rotation[4 * at + 2] = q.w * r[7] - q.x * r[8] + q.y * r[9] + q.z * r[6];
  rotation[4 * at + 3] = q.w * r[8] + q.x * r[7] - q.y * r[6] + q.z * r[9];
}

// Grid [sessions]: after every block of decode_blend has read the last good expression, the new one takes its place.
__global__ void __launch_bounds__(kThreads) decode_keep(DecodeBatchTables tables, DecodeBatchState state,
                                                        const float* expression, const std::uint8_t* reset) {
  const std::size_t session = blockIdx.x, inputs = tables.inputs;
  const bool fresh = reset != nullptr && reset[session] != 0;
  bool good = true;
  for (int i = threadIdx.x; i < tables.inputs; i += kThreads)
    good &= fabsf(expression[session * inputs + i]) <= 1000.0f;
  good = __syncthreads_and(good);
  for (int i = threadIdx.x; i < tables.inputs; i += kThreads) {
    if (good) state.expression[session * inputs + i] = expression[session * inputs + i];
    else if (fresh) state.expression[session * inputs + i] = 0.0f;
  }
  if (threadIdx.x == 0) state.replaced[session] = (fresh ? 0 : state.replaced[session]) + !good;
}

unsigned blocks_for(int n) { return static_cast<unsigned>((n + kThreads - 1) / kThreads); }

}  // namespace

DecodeBatch::DecodeBatch(const DecodePlan& plan, int sessions) {
  if (sessions < 1) throw std::invalid_argument("decode on CUDA: sessions: expected 1 or more");
  if (plan.inputs() > kMaxCudaInputs || plan.joints() > kMaxCudaJoints)
    throw std::invalid_argument("decode on CUDA: rig: expected at most 512 inputs and 16 joints, got " +
                                std::to_string(plan.inputs()) + " and " + std::to_string(plan.joints()));
  const DecodeTables& t = plan.tables();
  const std::size_t v = t.vertices, g = t.gaussians, blocks = t.blocks, joints = plan.joints();
  const std::size_t slots = t.block_shape_start[blocks], influences = t.block_joint_start[blocks];
  block_vertex_ = {t.block_vertex, blocks * kDecodeBlock};
  block_shape_start_ = {t.block_shape_start, blocks + 1};
  block_shape_ = {t.block_shape, slots};
  block_delta_ = {t.block_delta, slots * 3 * kDecodeBlock};
  block_joint_start_ = {t.block_joint_start, blocks + 1};
  block_joint_ = {t.block_joint, influences};
  block_joint_weight_ = {t.block_joint_weight, influences * kDecodeBlock};
  triangle_ = {t.triangle, static_cast<std::size_t>(t.triangles) * 3};
  valence_order_ = {t.valence_order, v};
  fan_start_ = {t.fan_start, v + 1};
  fan_ = {t.fan, static_cast<std::size_t>(t.fan_start[v])};
  joint_parent_ = {plan.joint_parent().data(), joints};
  joint_drive_ = {plan.joint_drive().data(), plan.joint_drive().size()};
  std::vector<std::int32_t> carriers;
  for (std::size_t i = 0; i < g; ++i) carriers.push_back(t.framed_triangle[t.gaussian_frame[i]]);
  gaussian_triangle_ = {carriers.data(), g};
  gaussian_local_ = {t.gaussian_local, (g + kDecodeBlock - 1) / kDecodeBlock * kDecodeBlock * kDecodeLocal};

  neutral_ = DeviceBuffer<float>(sessions * v * 3);
  joint_pivot_ = DeviceBuffer<float>(sessions * joints * 3);
  expression_ = DeviceBuffer<float>(static_cast<std::size_t>(sessions) * plan.inputs());
  replaced_ = DeviceBuffer<unsigned long long>(sessions);
  tables_ = {.sessions = sessions,
             .vertices = t.vertices,
             .gaussians = t.gaussians,
             .blocks = t.blocks,
             .inputs = plan.inputs(),
             .joints = plan.joints(),
             .block_vertex = block_vertex_.data(),
             .block_shape_start = block_shape_start_.data(),
             .block_shape = block_shape_.data(),
             .block_joint_start = block_joint_start_.data(),
             .block_joint = block_joint_.data(),
             .block_delta = block_delta_.data(),
             .block_joint_weight = block_joint_weight_.data(),
             .triangle = triangle_.data(),
             .valence_order = valence_order_.data(),
             .fan_start = fan_start_.data(),
             .fan = fan_.data(),
             .joint_parent = joint_parent_.data(),
             .joint_drive = joint_drive_.data(),
             .gaussian_triangle = gaussian_triangle_.data(),
             .gaussian_local = gaussian_local_.data()};
  state_ = {.neutral = neutral_.data(),
            .joint_pivot = joint_pivot_.data(),
            .expression = expression_.data(),
            .replaced = replaced_.data()};
  for (int session = 0; session < sessions; ++session)
    set_identity(session, plan.neutral().data(), plan.joint_pivot().data());
}

void DecodeBatch::set_identity(int session, const float* neutral, const float* joint_pivot) {
  if (session < 0 || session >= tables_.sessions)
    throw std::invalid_argument("decode on CUDA: session: expected 0 to " + std::to_string(tables_.sessions - 1) +
                                ", got " + std::to_string(session));
  const std::size_t points = 3 * static_cast<std::size_t>(tables_.vertices), pivots = 3 * tables_.joints;
  neutral_.upload(neutral, points, session * points);
  joint_pivot_.upload(joint_pivot, pivots, session * pivots);
}

void DecodeBatch::step(const float* expression, const std::uint8_t* reset, const DecodeOutputs& out,
                       cudaStream_t stream) {
  const unsigned sessions = tables_.sessions, stretches = blocks_for(tables_.blocks * kDecodeBlock);
  if (sessions == 1)
    launch(decode_blend<1>, dim3(stretches), dim3(kThreads), stream, "decode_blend", tables_, state_, expression, reset,
           out.vertices);
  else
    launch(decode_blend<kTile>, dim3(stretches, (sessions + kTile - 1) / kTile), dim3(kThreads), stream, "decode_blend",
           tables_, state_, expression, reset, out.vertices);
  launch(decode_keep, dim3(sessions), dim3(kThreads), stream, "decode_keep", tables_, state_, expression, reset);
  if (out.normals)
    launch(decode_normals, dim3(blocks_for(tables_.vertices), sessions), dim3(kThreads), stream, "decode_normals",
           tables_, out.vertices, out.normals);
  if (out.gaussian_mean && tables_.gaussians > 0)
    launch(decode_gaussians, dim3(blocks_for(tables_.gaussians), sessions), dim3(kThreads), stream, "decode_gaussians",
           tables_, out.vertices, out.gaussian_mean, out.gaussian_rotation, out.gaussian_scale);
}

}  // namespace rtgraph::kernels
