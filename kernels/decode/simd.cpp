// Owns the arithmetic of a decoded frame: blending and skinning, normals, Gaussians (compiled per instruction set).
//
// Blending works on blocks of 16 vertices with a coordinate a lane. What follows the mesh's own order (triangles, fans,
// Gaussians) works on points of four floats, one to a register, or on four of them at once, transposed.
#include "kernels/common/simd.h"
#include "kernels/decode/decode.h"

namespace rtgraph::kernels::RTGRAPH_ISA {
namespace {

typedef float Vec4 __attribute__((vector_size(16)));
typedef std::int32_t Int4 __attribute__((vector_size(16)));

constexpr int kParts = kDecodeBlock / W;  // registers for one coordinate of a block

RTGRAPH_INLINE Vec4 load4(const float* p) {
  Vec4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
RTGRAPH_INLINE void store4(float* p, Vec4 v) { __builtin_memcpy(p, &v, sizeof v); }
RTGRAPH_INLINE void store3(float* p, Vec4 v) { __builtin_memcpy(p, &v, 3 * sizeof(float)); }
RTGRAPH_INLINE Vec4 splat4(float x) { return x - Vec4{}; }
RTGRAPH_INLINE Vec4 sqrt4(Vec4 v) { return (Vec4)_mm_sqrt_ps((__m128)v); }

template <int I, int J, int K, int L>
RTGRAPH_INLINE Vec4 pick(Vec4 a) {
  return __builtin_shufflevector(a, a, I, J, K, L);
}

RTGRAPH_INLINE Vec4 cross(Vec4 a, Vec4 b) {
  return pick<1, 2, 0, 3>(a * pick<1, 2, 0, 3>(b) - pick<1, 2, 0, 3>(a) * b);
}

struct Four {
  Vec4 v[4];
};

RTGRAPH_INLINE Four transpose(Vec4 a, Vec4 b, Vec4 c, Vec4 d) {
  const Vec4 ab_lo = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_hi = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Vec4 cd_lo = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_hi = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return {__builtin_shufflevector(ab_lo, cd_lo, 0, 1, 4, 5), __builtin_shufflevector(ab_lo, cd_lo, 2, 3, 6, 7),
          __builtin_shufflevector(ab_hi, cd_hi, 0, 1, 4, 5), __builtin_shufflevector(ab_hi, cd_hi, 2, 3, 6, 7)};
}

// Unit quaternions x y z w of four rotation matrices m[row][column], from the largest of 4x^2 4y^2 4z^2 4w^2
// (S. Shepperd, Quaternion from rotation matrix, 1978): all worked out and one chosen, as branches would be guessed
// wrong.
RTGRAPH_INLINE Four quaternions(const Vec4 (&m)[3][3]) {
  const Vec4 x4 = 1.0f + m[0][0] - m[1][1] - m[2][2], y4 = 1.0f - m[0][0] + m[1][1] - m[2][2];
  const Vec4 z4 = 1.0f - m[0][0] - m[1][1] + m[2][2], w4 = 1.0f + m[0][0] + m[1][1] + m[2][2];
  const Vec4 xy = m[0][1] + m[1][0], xz = m[0][2] + m[2][0], yz = m[1][2] + m[2][1];
  const Vec4 xw = m[2][1] - m[1][2], yw = m[0][2] - m[2][0], zw = m[1][0] - m[0][1];
  Vec4 most = w4;
  Four q{{xw, yw, zw, w4}};
  const Vec4 others[3] = {x4, y4, z4};
  const Four rows[3] = {{{x4, xy, xz, xw}}, {{xy, y4, yz, yw}}, {{xz, yz, z4, zw}}};
  for (int i = 0; i < 3; ++i) {
    const Int4 better = others[i] > most;
    most = better ? others[i] : most;
    for (int k = 0; k < 4; ++k) q.v[k] = better ? rows[i].v[k] : q.v[k];
  }
  const Vec4 scale = 0.5f / sqrt4(most);
  for (int k = 0; k < 4; ++k) q.v[k] *= scale;
  return q;
}

// Frames of four triangles, written as DecodeWork::frames has them.
RTGRAPH_INLINE void frame_four(const DecodeTables& tables, const DecodeWork& work, const std::int32_t* which,
                               float* frames) {
  Vec4 edge[4], other[4], centre[4];
  for (int i = 0; i < 4; ++i) {
    const std::int32_t* corner = tables.triangle + 3 * which[i];
    const Vec4 a = load4(work.positions + 4 * corner[0]);
    const Vec4 b = load4(work.positions + 4 * corner[1]), c = load4(work.positions + 4 * corner[2]);
    edge[i] = b - a, other[i] = c - a, centre[i] = (a + b + c) * (1.0f / 3.0f);
  }
  const Four e = transpose(edge[0], edge[1], edge[2], edge[3]);
  const Four o = transpose(other[0], other[1], other[2], other[3]);
  Vec4 n[3];
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    n[i] = e.v[j] * o.v[k] - e.v[k] * o.v[j];
  }
  const Vec4 length = sqrt4(e.v[0] * e.v[0] + e.v[1] * e.v[1] + e.v[2] * e.v[2]);
  const Vec4 area = sqrt4(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  const Int4 solid = area > 1e-15f;
  const Vec4 by_length = 1.0f / (solid ? length : splat4(1.0f)), by_area = 1.0f / (solid ? area : splat4(1.0f));
  Vec4 m[3][3];
  for (int i = 0; i < 3; ++i) {
    m[i][0] = solid ? e.v[i] * by_length : splat4(i == 0);
    m[i][1] = solid ? n[i] * by_area : splat4(i == 1);
  }
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    m[i][2] = m[j][0] * m[k][1] - m[k][0] * m[j][1];
  }
  const Vec4 size = 0.5f * (length + (solid ? area * by_length : Vec4{}));
  const Four q = quaternions(m);
  const Four first = transpose(m[0][0], m[1][0], m[2][0], size), second = transpose(m[0][1], m[1][1], m[2][1], Vec4{});
  const Four third = transpose(m[0][2], m[1][2], m[2][2], Vec4{}), turn = transpose(q.v[0], q.v[1], q.v[2], q.v[3]);
  for (int i = 0; i < 4; ++i) {
    float* frame = frames + 20 * i;
    store4(frame, first.v[i]), store4(frame + 4, second.v[i]), store4(frame + 8, third.v[i]);
    store4(frame + 12, centre[i]), store4(frame + 16, turn.v[i]);
  }
}

}  // namespace

void decode_blend(const DecodeTables& tables, const DecodeWork& work, float* vertices) noexcept {
  for (int block = 0; block < tables.blocks; ++block) {
    Vec p[3][kParts];
    const float* neutral = work.neutral + block * 3 * kDecodeBlock;
    for (int axis = 0; axis < 3; ++axis)
      for (int part = 0; part < kParts; ++part) p[axis][part] = load(neutral + axis * kDecodeBlock + part * W);

    const int last_shape = tables.block_shape_start[block + 1];
    for (int i = tables.block_shape_start[block]; i < last_shape; ++i) {
      const Vec weight = splat(work.weights[tables.block_shape[i]]);
      const float* delta = tables.block_delta + static_cast<std::size_t>(i) * 3 * kDecodeBlock;
      for (int axis = 0; axis < 3; ++axis)
        for (int part = 0; part < kParts; ++part)
          p[axis][part] += weight * load(delta + axis * kDecodeBlock + part * W);
    }

    alignas(64) float moved[3][kDecodeBlock];
    for (int part = 0; part < kParts; ++part) {
      Vec m[12] = {};
      const int last_joint = tables.block_joint_start[block + 1];
      for (int i = tables.block_joint_start[block]; i < last_joint; ++i) {
        const Vec weight = load(tables.block_joint_weight + i * kDecodeBlock + part * W);
        const float* transform = work.transforms + 12 * tables.block_joint[i];
        for (int k = 0; k < 12; ++k) m[k] += weight * splat(transform[k]);
      }
      for (int axis = 0; axis < 3; ++axis)
        store(moved[axis] + part * W, m[4 * axis] * p[0][part] + m[4 * axis + 1] * p[1][part] +
                                          m[4 * axis + 2] * p[2][part] + m[4 * axis + 3]);
    }

    const std::int32_t* to = tables.block_vertex + block * kDecodeBlock;
    for (int lane = 0; lane < kDecodeBlock && to[lane] >= 0; ++lane) {
      const Vec4 point = {moved[0][lane], moved[1][lane], moved[2][lane], 0.0f};
      if (vertices) store3(vertices + 3 * to[lane], point);
      if (work.positions) store4(work.positions + 4 * to[lane], point);
    }
  }
}

void decode_normals(const DecodeTables& tables, const DecodeWork& work, float* normals) noexcept {
  for (int i = 0; i < tables.triangles; ++i) {
    const std::int32_t* corner = tables.triangle + 3 * i;
    const Vec4 a = load4(work.positions + 4 * corner[0]);
    store4(work.faces + 4 * i,
           cross(load4(work.positions + 4 * corner[1]) - a, load4(work.positions + 4 * corner[2]) - a));
  }
  for (int i = 0; i < tables.vertices; i += 4) {
    Vec4 sums[4];
    for (int j = 0; j < 4; ++j) {
      Vec4 sum = {};
      for (int k = tables.fan_start[i + j]; k < tables.fan_start[i + j + 1]; ++k)
        sum += load4(work.faces + 4 * tables.fan[k]);
      sums[j] = sum;
    }
    const Four s = transpose(sums[0], sums[1], sums[2], sums[3]);
    const Vec4 length = sqrt4(s.v[0] * s.v[0] + s.v[1] * s.v[1] + s.v[2] * s.v[2]);
    const Int4 solid = length > 1e-15f;
    const Vec4 scale = 1.0f / (solid ? length : splat4(1.0f));
    const Vec4 x = solid ? s.v[0] * scale : Vec4{}, y = solid ? s.v[1] * scale : Vec4{};
    const Vec4 z = solid ? s.v[2] * scale : splat4(1.0f);
    const Four unit = transpose(x, y, z, Vec4{});
    for (int j = 0; j < 4; ++j) store3(normals + 3 * tables.valence_order[i + j], unit.v[j]);
  }
}

void decode_gaussians(const DecodeTables& tables, const DecodeWork& work, const DecodeOutputs& out) noexcept {
  const int by_three = out.gaussian_stride ? out.gaussian_stride : 3;
  const int by_four = out.gaussian_stride ? out.gaussian_stride : 4;
  float *mean = out.gaussian_mean, *rotation = out.gaussian_rotation, *scale = out.gaussian_scale;
  for (int i = 0; i < tables.framed_triangles; i += 4)
    frame_four(tables, work, tables.framed_triangle + i, work.frames + 20 * i);
  for (int i = 0; i < tables.gaussians; ++i) {
    const float* frame = work.frames + 20 * tables.gaussian_frame[i];
    const Vec4 size = splat4(frame[3]);
    const Vec4 local = load4(tables.gaussian_mean + 4 * i);
    const Vec4 turned = load4(frame) * pick<0, 0, 0, 0>(local) + load4(frame + 4) * pick<1, 1, 1, 1>(local) +
                        load4(frame + 8) * pick<2, 2, 2, 2>(local);
    store3(mean, load4(frame + 12) + size * turned);
    store3(scale, size * load4(tables.gaussian_scale + 4 * i));

    const Vec4 a = load4(frame + 16), b = load4(tables.gaussian_rotation + 4 * i);
    const Vec4 product = pick<3, 3, 3, 3>(a) * b +
                         pick<0, 0, 0, 0>(a) * (pick<3, 2, 1, 0>(b) * Vec4{1, -1, 1, -1}) +
                         pick<1, 1, 1, 1>(a) * (pick<2, 3, 0, 1>(b) * Vec4{1, 1, -1, -1}) +
                         pick<2, 2, 2, 2>(a) * (pick<1, 0, 3, 2>(b) * Vec4{-1, 1, 1, -1});
    store4(rotation, pick<3, 0, 1, 2>(product));
    mean += by_three, scale += by_three, rotation += by_four;
  }
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
