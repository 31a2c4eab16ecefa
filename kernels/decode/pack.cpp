// Owns how a rig is checked and packed: blocks that few shapes move, fans by valence, Gaussians by triangle.
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/decode/decode.h"

namespace rtgraph::kernels {

#define RTGRAPH_DECLARE(isa)                                                                                       \
  namespace isa {                                                                                                  \
  void decode_blend(const DecodeTables&, const DecodeWork&, float* vertices) noexcept;                             \
  void decode_normals(const DecodeTables&, const DecodeWork&, float* normals) noexcept;                            \
  void decode_gaussians(const DecodeTables&, const DecodeWork&, const DecodeOutputs&) noexcept;                    \
  }
RTGRAPH_DECLARE(baseline)
RTGRAPH_DECLARE(avx2)
RTGRAPH_DECLARE(avx512)
#undef RTGRAPH_DECLARE

namespace {

[[noreturn]] void fail(const std::string& message) { throw std::invalid_argument("rig: " + message); }

void check_indices(const char* name, const std::int32_t* data, std::size_t n, int low, int high) {
  for (std::size_t i = 0; i < n; ++i)
    if (data[i] < low || data[i] >= high)
      fail(std::string(name) + ": entry " + std::to_string(i) + ": expected " + std::to_string(low) + " to " +
           std::to_string(high - 1) + ", got " + std::to_string(data[i]));
}

void check_finite(const char* name, const float* data, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    if (!(std::fabs(data[i]) < 1e6f))
      fail(std::string(name) + ": value " + std::to_string(i) + ": expected a finite number below 1e6, got " +
           std::to_string(data[i]));
}

void check(const RigView& rig) {
  const std::size_t v = rig.vertices, j = rig.joints, g = rig.gaussians;
  if (rig.vertices < 1) fail("neutral: expected at least one vertex");
  if (rig.joints < 1) fail("joint_parent: expected at least one joint");
  if (rig.influences < 1) fail("skin_joint: expected at least one influence a vertex");
  if (rig.shapes < 0) fail("shape_start: expected one entry more than there are shapes, got none");
  if (rig.inputs < rig.shapes || rig.inputs < 1)
    fail("joint_drive: expected at least as many inputs as shapes (" + std::to_string(rig.shapes) + "), got " +
         std::to_string(rig.inputs));
  if (rig.shape_start[0] != 0) fail("shape_start: entry 0: expected 0, got " + std::to_string(rig.shape_start[0]));
  for (int s = 0; s < rig.shapes; ++s)
    if (rig.shape_start[s + 1] < rig.shape_start[s])
      fail("shape_start: entry " + std::to_string(s + 1) + ": expected no less than the one before");
  const std::size_t entries = rig.shape_start[rig.shapes];
  check_finite("neutral", rig.neutral, v * 3);
  check_indices("triangles", rig.triangle, static_cast<std::size_t>(rig.triangles) * 3, 0, rig.vertices);
  check_indices("shape_vertex", rig.shape_vertex, entries, 0, rig.vertices);
  check_finite("shape_delta", rig.shape_delta, entries * 3);
  for (int i = 0; i < rig.joints; ++i) check_indices("joint_parent", rig.joint_parent + i, 1, -1, std::max(i, 0));
  check_finite("joint_pivot", rig.joint_pivot, j * 3);
  check_finite("joint_drive", rig.joint_drive, j * 6 * rig.inputs);
  check_indices("skin_joint", rig.skin_joint, v * rig.influences, 0, rig.joints);
  check_finite("skin_weight", rig.skin_weight, v * rig.influences);
  for (std::size_t i = 0; i < v; ++i) {
    const float* row = rig.skin_weight + i * rig.influences;
    const float total = std::accumulate(row, row + rig.influences, 0.0f);
    if (std::fabs(total - 1.0f) > 1e-3f)
      fail("skin_weight: vertex " + std::to_string(i) + ": expected a sum of 1, got " + std::to_string(total));
  }
  std::vector<int> seen(v, -1);
  for (int s = 0; s < rig.shapes; ++s)
    for (int i = rig.shape_start[s]; i < rig.shape_start[s + 1]; ++i)
      if (std::exchange(seen[rig.shape_vertex[i]], s) == s)
        fail("shape_vertex: entry " + std::to_string(i) + ": vertex " + std::to_string(rig.shape_vertex[i]) +
             " stands twice in shape " + std::to_string(s));
  if (rig.weld) check_indices("weld", rig.weld, v, 0, rig.vertices);
  check_indices("gaussian_triangle", rig.gaussian_triangle, g, 0, rig.triangles);
  check_finite("gaussian_mean", rig.gaussian_mean, g * 3);
  check_finite("gaussian_rotation", rig.gaussian_rotation, g * 4);
  check_finite("gaussian_scale", rig.gaussian_scale, g * 3);
}

// What moves a vertex, as a set of bits: its shapes, then its joints.
struct Movers {
  Movers(const RigView& rig) : words((rig.shapes + rig.joints + 63) / 64), bits(words * rig.vertices) {
    for (int s = 0; s < rig.shapes; ++s)
      for (int i = rig.shape_start[s]; i < rig.shape_start[s + 1]; ++i) set(rig.shape_vertex[i], s);
    for (int v = 0; v < rig.vertices; ++v)
      for (int k = 0; k < rig.influences; ++k) {
        const std::size_t i = static_cast<std::size_t>(v) * rig.influences + k;
        if (rig.skin_weight[i] != 0.0f) set(v, rig.shapes + rig.skin_joint[i]);
      }
  }
  void set(int vertex, int bit) { bits[vertex * words + bit / 64] |= std::uint64_t{1} << bit % 64; }
  const std::uint64_t* of(int vertex) const { return bits.data() + vertex * words; }

  std::size_t words;
  std::vector<std::uint64_t> bits;
};

// An order of vertices in which each block of 16 has few movers, as every mover of a block costs the whole block: start
// with the vertices that have most, then take in turn those that add fewest, and of those the ones that share most.
// Vertices with the same movers are taken together: a head has far fewer sets of movers than vertices.
std::vector<int> order_vertices(const Movers& movers, int vertices) {
  std::map<std::vector<std::uint64_t>, std::vector<int>> by_movers;
  for (int v = 0; v < vertices; ++v) by_movers[{movers.of(v), movers.of(v) + movers.words}].push_back(v);
  struct Alike {
    const std::vector<std::uint64_t>* movers;
    const std::vector<int>* vertices;
    std::size_t taken = 0;
    int count = 0;
  };
  std::vector<Alike> left;
  for (const auto& [mask, members] : by_movers) {
    left.push_back({&mask, &members});
    for (const std::uint64_t word : mask) left.back().count += std::popcount(word);
  }
  std::stable_sort(left.begin(), left.end(), [](const Alike& a, const Alike& b) { return a.count > b.count; });

  std::vector<int> order;
  std::vector<std::uint64_t> block(movers.words);
  while (!left.empty()) {
    if (order.size() % kDecodeBlock == 0) std::fill(block.begin(), block.end(), 0);
    std::size_t best = 0;
    if (order.size() % kDecodeBlock != 0) {
      int best_cost = -1;
      for (std::size_t i = 0; i < left.size(); ++i) {
        int added = 0, shared = 0;
        for (std::size_t w = 0; w < movers.words; ++w) {
          const std::uint64_t mask = (*left[i].movers)[w];
          added += std::popcount(mask & ~block[w]), shared += std::popcount(mask & block[w]);
        }
        const int cost = added * 65536 + 65535 - shared;
        if (best_cost < 0 || cost < best_cost) best_cost = cost, best = i;
      }
    }
    Alike& alike = left[best];
    for (std::size_t w = 0; w < movers.words; ++w) block[w] |= (*alike.movers)[w];
    do {
      order.push_back((*alike.vertices)[alike.taken++]);
    } while (alike.taken < alike.vertices->size() && order.size() % kDecodeBlock != 0);
    if (alike.taken == alike.vertices->size()) left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return order;
}

}  // namespace

DecodePlan::DecodePlan(const RigView& rig, Isa isa) : inputs_(rig.inputs), shapes_(rig.shapes) {
  check(rig);
  if (!can_run(isa)) throw std::invalid_argument("decode: this machine does not run the instruction set asked for");
  switch (isa) {
    case Isa::baseline:
      blend_ = baseline::decode_blend, normals_ = baseline::decode_normals, gaussians_ = baseline::decode_gaussians;
      break;
    case Isa::avx2:
      blend_ = avx2::decode_blend, normals_ = avx2::decode_normals, gaussians_ = avx2::decode_gaussians;
      break;
    case Isa::avx512:
      blend_ = avx512::decode_blend, normals_ = avx512::decode_normals, gaussians_ = avx512::decode_gaussians;
      break;
  }
  neutral_.assign(rig.neutral, rig.neutral + rig.vertices * 3);
  joint_parent_.assign(rig.joint_parent, rig.joint_parent + rig.joints);
  joint_pivot_.assign(rig.joint_pivot, rig.joint_pivot + rig.joints * 3);
  joint_drive_.assign(rig.joint_drive, rig.joint_drive + rig.joints * 6 * rig.inputs);
  triangle_.assign(rig.triangle, rig.triangle + rig.triangles * 3);
  pack_blocks(rig);
  pack_fans(rig);
  pack_gaussians(rig);
  tables_ = {.blocks = static_cast<int>(block_vertex_.size()) / kDecodeBlock,
             .vertices = rig.vertices,
             .triangles = rig.triangles,
             .gaussians = rig.gaussians,
             .framed_triangles = static_cast<int>(framed_triangle_.size()),
             .block_vertex = block_vertex_.data(),
             .block_shape_start = block_shape_start_.data(),
             .block_shape = block_shape_.data(),
             .block_delta = block_delta_.data(),
             .block_joint_start = block_joint_start_.data(),
             .block_joint = block_joint_.data(),
             .block_joint_weight = block_joint_weight_.data(),
             .triangle = triangle_.data(),
             .valence_order = valence_order_.data(),
             .fan_start = fan_start_.data(),
             .fan = fan_.data(),
             .framed_triangle = framed_triangle_.data(),
             .gaussian_frame = gaussian_frame_.data(),
             .gaussian_local = gaussian_local_.data()};
}

void DecodePlan::pack_blocks(const RigView& rig) {
  const Movers movers(rig);
  const std::vector<int> order = order_vertices(movers, rig.vertices);
  const int blocks = (rig.vertices + kDecodeBlock - 1) / kDecodeBlock;
  block_vertex_.assign(static_cast<std::size_t>(blocks) * kDecodeBlock, -1);
  std::copy(order.begin(), order.end(), block_vertex_.begin());

  std::vector<std::vector<int>> slot_of(blocks, std::vector<int>(rig.shapes + rig.joints, -1));
  block_shape_start_ = {0}, block_joint_start_ = {0};
  for (int block = 0; block < blocks; ++block) {
    for (int mover = 0; mover < rig.shapes + rig.joints; ++mover) {
      bool moves = false;
      for (int lane = 0; lane < kDecodeBlock; ++lane) {
        const int v = block_vertex_[block * kDecodeBlock + lane];
        moves |= v >= 0 && (movers.of(v)[mover / 64] >> mover % 64 & 1);
      }
      if (!moves) continue;
      auto& list = mover < rig.shapes ? block_shape_ : block_joint_;
      slot_of[block][mover] = static_cast<int>(list.size());
      list.push_back(mover < rig.shapes ? mover : mover - rig.shapes);
    }
    block_shape_start_.push_back(static_cast<std::int32_t>(block_shape_.size()));
    block_joint_start_.push_back(static_cast<std::int32_t>(block_joint_.size()));
  }

  std::vector<int> place(rig.vertices);  // block * 16 + lane
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<int>(i);
  block_delta_ = AlignedBuffer<float>(block_shape_.size() * 3 * kDecodeBlock);
  for (int s = 0; s < rig.shapes; ++s)
    for (int i = rig.shape_start[s]; i < rig.shape_start[s + 1]; ++i) {
      const int at = place[rig.shape_vertex[i]];
      const std::size_t slot = slot_of[at / kDecodeBlock][s];
      for (int axis = 0; axis < 3; ++axis)
        block_delta_[(slot * 3 + axis) * kDecodeBlock + at % kDecodeBlock] = rig.shape_delta[3 * i + axis];
    }
  block_joint_weight_ = AlignedBuffer<float>(block_joint_.size() * kDecodeBlock);
  for (int v = 0; v < rig.vertices; ++v)
    for (int k = 0; k < rig.influences; ++k) {
      const std::size_t i = static_cast<std::size_t>(v) * rig.influences + k;
      if (rig.skin_weight[i] == 0.0f) continue;
      const std::size_t slot = slot_of[place[v] / kDecodeBlock][rig.shapes + rig.skin_joint[i]];
      block_joint_weight_[slot * kDecodeBlock + place[v] % kDecodeBlock] += rig.skin_weight[i];
    }
}

void DecodePlan::pack_fans(const RigView& rig) {
  std::vector<std::vector<std::int32_t>> fans(rig.vertices);
  const auto owner = [&](int v) { return rig.weld ? rig.weld[v] : v; };
  for (int i = 0; i < 3 * rig.triangles; ++i) fans[owner(rig.triangle[i])].push_back(i / 3);
  valence_order_.resize(rig.vertices);
  std::iota(valence_order_.begin(), valence_order_.end(), 0);
  std::stable_sort(valence_order_.begin(), valence_order_.end(),
                   [&](int a, int b) { return fans[owner(a)].size() < fans[owner(b)].size(); });
  while (valence_order_.size() % kDecodeBlock != 0) valence_order_.push_back(valence_order_.back());  // written twice, alike
  fan_start_ = {0};
  for (const int v : valence_order_) {
    fan_.insert(fan_.end(), fans[owner(v)].begin(), fans[owner(v)].end());
    fan_start_.push_back(static_cast<std::int32_t>(fan_.size()));
  }
}

void DecodePlan::pack_gaussians(const RigView& rig) {
  if (rig.gaussians == 0) return;
  framed_triangle_.assign(rig.gaussian_triangle, rig.gaussian_triangle + rig.gaussians);
  std::sort(framed_triangle_.begin(), framed_triangle_.end());
  framed_triangle_.erase(std::unique(framed_triangle_.begin(), framed_triangle_.end()), framed_triangle_.end());
  for (int i = 0; i < rig.gaussians; ++i) {
    const auto at = std::lower_bound(framed_triangle_.begin(), framed_triangle_.end(), rig.gaussian_triangle[i]);
    gaussian_frame_.push_back(static_cast<std::int32_t>(at - framed_triangle_.begin()));
  }
  while (framed_triangle_.size() % kDecodeBlock != 0) framed_triangle_.push_back(framed_triangle_.back());
  while (gaussian_frame_.size() % kDecodeBlock != 0) gaussian_frame_.push_back(gaussian_frame_.back());
  gaussian_local_ = AlignedBuffer<float>(kDecodeLocal * gaussian_frame_.size());
  for (int i = 0; i < rig.gaussians; ++i) {
    const float *m = rig.gaussian_mean + 3 * i, *s = rig.gaussian_scale + 3 * i, *r = rig.gaussian_rotation + 4 * i;
    const float numbers[kDecodeLocal] = {m[0], m[1], m[2], s[0], s[1], s[2], r[1], r[2], r[3], r[0]};
    float* to = gaussian_local_.data() + kDecodeLocal * (i / kDecodeBlock * kDecodeBlock) + i % kDecodeBlock;
    for (int k = 0; k < kDecodeLocal; ++k) to[k * kDecodeBlock] = numbers[k];
  }
}

}  // namespace rtgraph::kernels
