// Owns the inner loop of windowed attention, compiled once per instruction set.
#include "kernels/attention/call.h"
#include "kernels/linear/simd_math.h"

namespace rtgraph::kernels::RTGRAPH_ISA {

namespace {

typedef std::uint16_t VecHalf __attribute__((vector_size(W * 2)));
typedef std::uint32_t VecWord __attribute__((vector_size(W * 4)));

struct Float {
  using Stored = float;
  RTGRAPH_INLINE static Vec read(const float* p) { return load(p); }
  RTGRAPH_INLINE static float write(float x) { return x; }
};

struct Half {  // bfloat16, rounded to nearest even
  using Stored = std::uint16_t;
  RTGRAPH_INLINE static Vec read(const std::uint16_t* p) {
    VecHalf half;
    __builtin_memcpy(&half, p, sizeof half);
    return (Vec)(__builtin_convertvector(half, VecWord) << 16);
  }
  RTGRAPH_INLINE static std::uint16_t write(float x) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }
};

// Asks for the cache line that lies `kAhead` behind p, whatever is there: rings of many streams lie in memory, not in a
// cache, and the processor's own prefetching stops at every page.
constexpr std::ptrdiff_t kAhead = 6144;  // bytes
RTGRAPH_INLINE void look_ahead(const void* p, std::ptrdiff_t bytes) {
  for (std::ptrdiff_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(p) + kAhead + i, 0, 2);
}

// y[d], y[d + n / 2] = x[d], x[d + n / 2] rotated.
RTGRAPH_INLINE void rotate(const float* x, const float* cosine, const float* sine, int n, float scale, float* y) {
  for (int d = 0; d < n / 2; ++d) {
    const float a = x[d], b = x[d + n / 2];
    y[d] = (a * cosine[d] - b * sine[d]) * scale;
    y[d + n / 2] = (b * cosine[d] + a * sine[d]) * scale;
  }
}

// Turns the first `count` of the scores into weights that sum to 1. The scores behind them are left unread.
RTGRAPH_INLINE void softmax(float* scores, int count) {
  int i = 0;
  Vec largest = splat(scores[0]);
  for (; i + W <= count; i += W) largest = max(largest, load(scores + i));
  float top = scores[0];
  for (int lane = 0; lane < W; ++lane) top = largest[lane] > top ? largest[lane] : top;
  for (; i < count; ++i) top = scores[i] > top ? scores[i] : top;

  Vec sums{};
  for (i = 0; i + W <= count; i += W) {
    const Vec e = exp(load(scores + i) - top);
    sums += e;
    store(scores + i, e);
  }
  float total = sum(sums);
  for (; i < count; ++i) total += scores[i] = exp(splat(scores[i] - top))[0];
  const float inverse = 1.0f / total;
  for (i = 0; i + W <= count; i += W) store(scores + i, load(scores + i) * inverse);
  for (; i < count; ++i) scores[i] *= inverse;
}

// scores[0 .. V * W) = q . keys for that many slots, in one pass along the channels.
template <class Kind, int V>
RTGRAPH_INLINE void score(const float* q, const typename Kind::Stored* keys, int n, int slots, float* scores) {
  Vec sums[V] = {};
  for (int d = 0; d < n; ++d, keys += slots) {
    look_ahead(keys, V * W * sizeof *keys);
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sums[v] += q[d] * Kind::read(keys + v * W);
  }
  for (int v = 0; v < V; ++v) store(scores + v * W, sums[v]);
}

template <class Kind>
RTGRAPH_INLINE void head(const AttentionCall& call, int h) {
  using Stored = typename Kind::Stored;
  const RingShape& shape = call.shape;
  const int n = shape.head_size, slots = shape.slots();
  const int slot = static_cast<int>(call.position % shape.window);
  const int count = call.position < shape.window ? static_cast<int>(call.position) + 1 : shape.window;
  float* q = call.workspace;
  float* key = q + n;
  float* scores = key + n;
  auto* keys = static_cast<Stored*>(call.keys) + static_cast<std::ptrdiff_t>(h) * n * slots;
  auto* values = static_cast<Stored*>(call.values) + static_cast<std::ptrdiff_t>(h) * n * slots;

  const float* value = call.qkv + (2 * shape.heads + h) * n;
  for (int d = 0; d < n; ++d) values[slot * n + d] = Kind::write(value[d]);
  rotate(call.qkv + h * n, call.cosine, call.sine, n, 1.0f / __builtin_sqrtf(static_cast<float>(n)), q);
  rotate(call.qkv + (shape.heads + h) * n, call.cosine, call.sine, n, 1.0f, key);

  // Passes as wide as registers allow: a default window of 128 is then read once, in order, at AVX-512.
  constexpr int kWide = 8 * W < 2 * kSlotGroup ? 8 : 2 * kSlotGroup / W, kNarrow = kWide / 2;
  for (int first = 0; first < count;) {
    const bool wide = first + kWide * W <= slots;
    if (wide)
      score<Kind, kWide>(q, keys + first, n, slots, scores + first);
    else
      score<Kind, kNarrow>(q, keys + first, n, slots, scores + first);
    first += (wide ? kWide : kNarrow) * W;
  }

  // The new key is spread over head_size cache lines: written only now, when the loop above has fetched them, and
  // scored from here, so that no load waits for a store.
  Vec own{};
  for (int d = 0; d < n; d += W) own += load(q + d) * load(key + d);
  scores[slot] = sum(own);
  for (int d = 0; d < n; ++d) keys[d * slots + slot] = Kind::write(key[d]);
  softmax(scores, count);

  constexpr int kMaxVectors = 4;
  const int vectors = n / W;
  for (int first = 0; first < vectors; first += kMaxVectors) {
    const int width = vectors - first < kMaxVectors ? vectors - first : kMaxVectors;
    const Stored* v = values + first * W;
    float* out = call.out + h * n + first * W;
    if (width == kMaxVectors) {
      Vec even[kMaxVectors] = {}, odd[kMaxVectors] = {};  // two chains: a chain of sums waits on its own latency
      int i = 0;
      for (; i + 2 <= count; i += 2) {
        look_ahead(v + i * n, 2 * kMaxVectors * W * sizeof *v);
#pragma GCC unroll 4
        for (int j = 0; j < kMaxVectors; ++j) {
          even[j] += scores[i] * Kind::read(v + i * n + j * W);
          odd[j] += scores[i + 1] * Kind::read(v + (i + 1) * n + j * W);
        }
      }
      for (int j = 0; j < kMaxVectors; ++j) {
        if (i < count) even[j] += scores[i] * Kind::read(v + i * n + j * W);
        store(out + j * W, even[j] + odd[j]);
      }
    } else {
      for (int j = 0; j < width; ++j) {
        Vec y{};
        for (int i = 0; i < count; ++i) y += scores[i] * Kind::read(v + i * n + j * W);
        store(out + j * W, y);
      }
    }
  }
}

}  // namespace

void attention(const AttentionCall& call) noexcept {
  for (int h = 0; h < call.shape.heads; ++h) call.shape.half ? head<Half>(call, h) : head<Float>(call, h);
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
