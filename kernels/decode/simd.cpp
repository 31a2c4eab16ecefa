// Owns the arithmetic of a decoded frame: blending and skinning, normals, Gaussians (compiled per instruction set).
//
// Blending works on blocks of 16 vertices with a coordinate a lane. What follows the mesh's own order (triangles, fans,
// Gaussians) works on points of four floats, one to a register, or on W of them at once, transposed.
#include "kernels/common/simd.h"
#include "kernels/decode/decode.h"

namespace rtgraph::kernels::RTGRAPH_ISA {
namespace {

typedef float Vec4 __attribute__((vector_size(16)));

constexpr int kParts = kDecodeBlock / W;  // registers for one coordinate of a block

RTGRAPH_INLINE Vec4 load4(const float* p) {
  Vec4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
RTGRAPH_INLINE void store4(float* p, Vec4 v) { __builtin_memcpy(p, &v, sizeof v); }
RTGRAPH_INLINE void store3(float* p, Vec4 v) { __builtin_memcpy(p, &v, 3 * sizeof(float)); }
RTGRAPH_INLINE Vec4 splat4(float x) { return x - Vec4{}; }

template <int I, int J, int K, int L>
RTGRAPH_INLINE Vec4 pick(Vec4 a) {
  return __builtin_shufflevector(a, a, I, J, K, L);
}

RTGRAPH_INLINE Vec4 cross(Vec4 a, Vec4 b) {
  return pick<1, 2, 0, 3>(a * pick<1, 2, 0, 3>(b) - pick<1, 2, 0, 3>(a) * b);
}

// W points in four registers: either four floats of points i, i + 4, i + 8 ... in register i, or a coordinate a
// register with a point a lane. `transpose` turns one into the other.
struct Points {
  Vec v[4];
};

RTGRAPH_INLINE Points transpose(Vec a, Vec b, Vec c, Vec d) {
  const Vec ab_lo = zip_fours_lo<1>(a, b), ab_hi = zip_fours_hi<1>(a, b);
  const Vec cd_lo = zip_fours_lo<1>(c, d), cd_hi = zip_fours_hi<1>(c, d);
  return {zip_fours_lo<2>(ab_lo, cd_lo), zip_fours_hi<2>(ab_lo, cd_lo), zip_fours_lo<2>(ab_hi, cd_hi),
          zip_fours_hi<2>(ab_hi, cd_hi)};
}
RTGRAPH_INLINE Points transpose(const Points& p) { return transpose(p.v[0], p.v[1], p.v[2], p.v[3]); }

// The points that `at(j)` points to for j of 0..W - 1, four floats each.
template <typename At>
RTGRAPH_INLINE Points gather(At at) {
  Points p;
  for (int i = 0; i < 4; ++i) {
    if constexpr (W == 4) {
      p.v[i] = (Vec)load4(at(i));
    } else {
      const auto low = __builtin_shufflevector(load4(at(i)), load4(at(i + 4)), 0, 1, 2, 3, 4, 5, 6, 7);
      if constexpr (W == 8) {
        p.v[i] = (Vec)low;
      } else {
        const auto high = __builtin_shufflevector(load4(at(i + 8)), load4(at(i + 12)), 0, 1, 2, 3, 4, 5, 6, 7);
        p.v[i] = (Vec)__builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
      }
    }
  }
  return p;
}

// Calls put(j, its four floats) for the points j of 0..W - 1.
template <int Four = 0, typename Put>
RTGRAPH_INLINE void scatter(const Points& p, Put put) {
  for (int i = 0; i < 4; ++i)
    put(4 * Four + i,
        __builtin_shufflevector(p.v[i], p.v[i], 4 * Four, 4 * Four + 1, 4 * Four + 2, 4 * Four + 3));
  if constexpr (4 * (Four + 1) < W) scatter<Four + 1>(p, put);
}

// Unit quaternions x y z w of W rotation matrices m[row][column], from the largest of 4x^2 4y^2 4z^2 4w^2
// (S. Shepperd, Quaternion from rotation matrix, 1978): all worked out and one chosen, as branches would be guessed
// wrong.
RTGRAPH_INLINE Points quaternions(const Vec (&m)[3][3]) {
  const Vec x4 = 1.0f + m[0][0] - m[1][1] - m[2][2], y4 = 1.0f - m[0][0] + m[1][1] - m[2][2];
  const Vec z4 = 1.0f - m[0][0] - m[1][1] + m[2][2], w4 = 1.0f + m[0][0] + m[1][1] + m[2][2];
  const Vec xy = m[0][1] + m[1][0], xz = m[0][2] + m[2][0], yz = m[1][2] + m[2][1];
  const Vec xw = m[2][1] - m[1][2], yw = m[0][2] - m[2][0], zw = m[1][0] - m[0][1];
  Vec most = w4;
  Points q{{xw, yw, zw, w4}};
  const Vec others[3] = {x4, y4, z4};
  const Points rows[3] = {{{x4, xy, xz, xw}}, {{xy, y4, yz, yw}}, {{xz, yz, z4, zw}}};
  for (int i = 0; i < 3; ++i) {
    const VecInt better = others[i] > most;
    most = select(better, others[i], most);
    for (int k = 0; k < 4; ++k) q.v[k] = select(better, rows[i].v[k], q.v[k]);
  }
  const Vec scale = 0.5f / sqrt(most);
  for (int k = 0; k < 4; ++k) q.v[k] *= scale;
  return q;
}

// Frames of W triangles, written as DecodeWork::frames has them.
RTGRAPH_INLINE void frame_triangles(const DecodeTables& tables, const DecodeWork& work, const std::int32_t* which,
                                    float* frames) {
  Points corner[3];
  for (int c = 0; c < 3; ++c)
    corner[c] = gather([&](int j) { return work.positions + 4 * tables.triangle[3 * which[j] + c]; });
  Points centre;
  for (int i = 0; i < 4; ++i) {
    const Vec a = corner[0].v[i], b = corner[1].v[i], c = corner[2].v[i];
    centre.v[i] = (a + b + c) * (1.0f / 3.0f);
    corner[1].v[i] = b - a, corner[2].v[i] = c - a;
  }
  const Points e = transpose(corner[1]), o = transpose(corner[2]);
  Vec n[3];
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    n[i] = e.v[j] * o.v[k] - e.v[k] * o.v[j];
  }
  const Vec length = sqrt(e.v[0] * e.v[0] + e.v[1] * e.v[1] + e.v[2] * e.v[2]);
  const Vec area = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  const VecInt solid = area > 1e-15f;
  const Vec by_length = 1.0f / select(solid, length, splat(1.0f));
  const Vec by_area = 1.0f / select(solid, area, splat(1.0f));
  Vec m[3][3];
  for (int i = 0; i < 3; ++i) {
    m[i][0] = select(solid, e.v[i] * by_length, splat(i == 0));
    m[i][1] = select(solid, n[i] * by_area, splat(i == 1));
  }
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    m[i][2] = m[j][0] * m[k][1] - m[k][0] * m[j][1];
  }
  const Vec size = 0.5f * (length + select(solid, area * by_length, Vec{}));
  const Points middle = transpose(centre), turn = transpose(quaternions(m));
  const Points place = transpose(middle.v[0], middle.v[1], middle.v[2], size);
  scatter(turn, [&](int j, Vec4 four) { store4(frames + kDecodeFrame * j, four); });
  scatter(place, [&](int j, Vec4 four) { store4(frames + kDecodeFrame * j + 4, four); });
}

// The vector `v` turned by the unit quaternion `q`, x y z w, in W lanes.
struct Turned {
  Vec v[3];
};
RTGRAPH_INLINE Turned turn(const Points& q, const Vec (&v)[3]) {
  Vec twice[3];
  Turned out;
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    twice[i] = q.v[j] * v[k] - q.v[k] * v[j];
    twice[i] += twice[i];
  }
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    out.v[i] = v[i] + q.v[3] * twice[i] + (q.v[j] * twice[k] - q.v[k] * twice[j]);
  }
  return out;
}

// Gaussians first .. first + count - 1 of at most W, with their triangles.
RTGRAPH_INLINE void carry(const DecodeTables& tables, const DecodeWork& work, const DecodeOutputs& out, int first,
                          int count) {
  const std::int32_t* frame = tables.gaussian_frame + first;
  const Points q = transpose(gather([&](int j) { return work.frames + kDecodeFrame * frame[j]; }));
  const Points place = transpose(gather([&](int j) { return work.frames + kDecodeFrame * frame[j] + 4; }));
  const float* local = tables.gaussian_local + kDecodeLocal * (first / kDecodeBlock * kDecodeBlock) + first % kDecodeBlock;
  const auto number = [&](int k) { return load(local + k * kDecodeBlock); };
  const Vec size = place.v[3];

  const Turned moved = turn(q, {number(0), number(1), number(2)});
  const Points mean = transpose(place.v[0] + size * moved.v[0], place.v[1] + size * moved.v[1],
                                place.v[2] + size * moved.v[2], Vec{});
  const Points scale = transpose(size * number(3), size * number(4), size * number(5), Vec{});
  const Vec x = number(6), y = number(7), z = number(8), w = number(9);
  const Points rotation = transpose(q.v[3] * w - q.v[0] * x - q.v[1] * y - q.v[2] * z,
                                    q.v[3] * x + q.v[0] * w + q.v[1] * z - q.v[2] * y,
                                    q.v[3] * y - q.v[0] * z + q.v[1] * w + q.v[2] * x,
                                    q.v[3] * z + q.v[0] * y - q.v[1] * x + q.v[2] * w);

  const std::size_t by_three = out.gaussian_stride ? out.gaussian_stride : 3;
  const std::size_t by_four = out.gaussian_stride ? out.gaussian_stride : 4;
  float *to_mean = out.gaussian_mean + by_three * first, *to_scale = out.gaussian_scale + by_three * first;
  float* to_rotation = out.gaussian_rotation + by_four * first;
  scatter(mean, [&](int j, Vec4 four) { if (j < count) store3(to_mean + by_three * j, four); });
  scatter(scale, [&](int j, Vec4 four) { if (j < count) store3(to_scale + by_three * j, four); });
  scatter(rotation, [&](int j, Vec4 four) { if (j < count) store4(to_rotation + by_four * j, four); });
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
  for (int i = 0; i < tables.vertices; i += W) {
    alignas(64) float sums[4 * W];
    for (int j = 0; j < W; ++j) {
      Vec4 sum = {};
      for (int k = tables.fan_start[i + j]; k < tables.fan_start[i + j + 1]; ++k)
        sum += load4(work.faces + 4 * tables.fan[k]);
      store4(sums + 4 * j, sum);
    }
    const Points s = transpose(gather([&](int j) { return sums + 4 * j; }));
    const Vec length = sqrt(s.v[0] * s.v[0] + s.v[1] * s.v[1] + s.v[2] * s.v[2]);
    const VecInt solid = length > 1e-15f;
    const Vec scale = 1.0f / select(solid, length, splat(1.0f));
    const Vec x = select(solid, s.v[0] * scale, Vec{}), y = select(solid, s.v[1] * scale, Vec{});
    const Vec z = select(solid, s.v[2] * scale, splat(1.0f));
    scatter(transpose(x, y, z, Vec{}),
            [&](int j, Vec4 unit) { store3(normals + 3 * tables.valence_order[i + j], unit); });
  }
}

void decode_gaussians(const DecodeTables& tables, const DecodeWork& work, const DecodeOutputs& out) noexcept {
  for (int i = 0; i < tables.framed_triangles; i += W)
    frame_triangles(tables, work, tables.framed_triangle + i, work.frames + kDecodeFrame * i);
  int i = 0;
  for (; i + W <= tables.gaussians; i += W) carry(tables, work, out, i, W);
  if (i < tables.gaussians) carry(tables, work, out, i, tables.gaussians - i);
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
