// Owns the inner loops of Linear, compiled once per instruction set.
#include "kernels/linear/call.h"
#include "kernels/linear/simd_math.h"
#include "kernels/norm/simd_norm.h"

namespace rtgraph::kernels::RTGRAPH_ISA {

namespace {

typedef std::uint32_t VecWord __attribute__((vector_size(W * 4)));
typedef std::uint16_t VecHalf __attribute__((vector_size(W * 2)));
typedef std::uint8_t VecByte __attribute__((vector_size(W)));

#if defined(__AVX512BF16__)
constexpr bool kBfloatDot = true;
#else
constexpr bool kBfloatDot = false;
#endif

// A tile is R rows by V vectors of one panel's columns: as many sums as registers hold beside the weights.
constexpr int kPanelVectors = kPanel / W;
constexpr int kMaxRows = W == 16 ? 6 : W == 8 ? 3 : 2;
template <int R>
constexpr int kTileVectors = kPanelVectors < (R == 1 ? 8 : 4) ? kPanelVectors : (R == 1 ? 8 : 4);

RTGRAPH_INLINE VecInt load_int(const void* p) {
  VecInt v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
RTGRAPH_INLINE VecInt splat_int(std::int32_t x) { return x - VecInt{}; }
RTGRAPH_INLINE std::int32_t read_int(const void* p) {
  std::int32_t x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}

// Nearest bfloat16, ties to even, in the upper half of each lane.
RTGRAPH_INLINE VecWord round_bfloat16(Vec v) {
  const VecWord bits = (VecWord)v;
  return (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
}

// --- How each precision stores a row of inputs, and how it adds one group of them to the sums -----------------------

struct Float {
  using Input = float;
  using Sum = Vec;
  static constexpr int kGroup = 1;
  RTGRAPH_INLINE static void add(Sum& sum, const std::byte* w, const Input* x) {
    sum += splat(*x) * load(reinterpret_cast<const float*>(w));
  }
};

struct Bfloat {
  using Sum = Vec;
  static constexpr int kGroup = 2;
#if defined(__AVX512BF16__)
  using Input = std::uint16_t;
  RTGRAPH_INLINE static void add(Sum& sum, const std::byte* w, const Input* x) {
    sum = (Vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)splat_int(read_int(x)), (__m512bh)load_int(w));
  }
#else
  using Input = float;  // already rounded to bfloat16
  RTGRAPH_INLINE static void add(Sum& sum, const std::byte* w, const Input* x) {
    const VecWord pair = (VecWord)load_int(w);
    sum += splat(x[0]) * (Vec)(pair << 16);
    sum += splat(x[1]) * (Vec)(pair & 0xffff0000u);
  }
#endif
};

struct Int8 {
  using Input = std::uint8_t;  // offset by 128
  using Sum = VecInt;
  static constexpr int kGroup = 4;
#if defined(__AVX512VNNI__)
  RTGRAPH_INLINE static void add(Sum& sum, const std::byte* w, const Input* x) {
    sum = (VecInt)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)splat_int(read_int(x)), (__m512i)load_int(w));
  }
#else
  typedef std::int16_t VecShort __attribute__((vector_size(W * 4)));
  RTGRAPH_INLINE static VecInt dot_pairs(VecShort a, VecShort b) {
#if defined(__AVX512BW__)
    return (VecInt)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (VecInt)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    return (VecInt)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
  }
  RTGRAPH_INLINE static void add(Sum& sum, const std::byte* w, const Input* x) {
    const VecShort bytes = (VecShort)load_int(w);  // weights 0 1 | 2 3 of each column
    sum += dot_pairs((bytes << 8) >> 8, (VecShort)splat_int(x[0] | x[2] << 16));
    sum += dot_pairs(bytes >> 8, (VecShort)splat_int(x[1] | x[3] << 16));
  }
#endif
};

// --- Inputs: norm, then the form that the weights' precision takes --------------------------------------------------

RTGRAPH_INLINE void convert_row(const float* x, int k, float* out) {
  for (int i = 0; i < k; ++i) out[i] = x[i];
}

RTGRAPH_INLINE void round_row(const float* x, int k, float* out) {  // bfloat16 values as floats
  int i = 0;
  for (; i + W <= k; i += W) store(out + i, (Vec)round_bfloat16(load(x + i)));
  for (; i < k; ++i) out[i] = ((Vec)round_bfloat16(splat(x[i])))[0];
}

RTGRAPH_INLINE void round_row(const float* x, int k, std::uint16_t* out) {
  int i = 0;
  for (; i + W <= k; i += W) {
    const VecHalf half = __builtin_convertvector(round_bfloat16(load(x + i)) >> 16, VecHalf);
    __builtin_memcpy(out + i, &half, sizeof half);
  }
  for (; i < k; ++i) out[i] = static_cast<std::uint16_t>(round_bfloat16(splat(x[i]))[0] >> 16);
}

// Returns the scale: x = scale * (out - 128).
RTGRAPH_INLINE float quantise_row(const float* x, int k, std::uint8_t* out) {
  Vec largest{};
  int i = 0;
  for (; i + W <= k; i += W) largest = max(largest, max(load(x + i), -load(x + i)));
  float limit = 1e-30f;  // an all-zero row keeps a scale above zero
  for (int lane = 0; lane < W; ++lane) limit = largest[lane] > limit ? largest[lane] : limit;
  for (; i < k; ++i) limit = __builtin_fabsf(x[i]) > limit ? __builtin_fabsf(x[i]) : limit;
  const float inverse = 127.0f / limit;
  const float magic = 12582912.0f + 128.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  for (i = 0; i + W <= k; i += W) {
    const VecByte bytes = __builtin_convertvector((VecInt)(load(x + i) * inverse + magic) - 0x4b400000, VecByte);
    __builtin_memcpy(out + i, &bytes, sizeof bytes);
  }
  for (; i < k; ++i) out[i] = static_cast<std::uint8_t>(((VecInt)(splat(x[i] * inverse) + magic))[0] - 0x4b400000);
  return limit / 127.0f;
}

// The rows of one call in the form that Kind takes, in the workspace: [rows][stride] inputs, then [rows] scales.
template <class Kind>
struct Inputs {
  const typename Kind::Input* data;
  std::ptrdiff_t stride;
  const float* scales;
};

template <class Kind>
RTGRAPH_INLINE Inputs<Kind> prepare(const LinearCall& call) {
  using Input = typename Kind::Input;
  const PackedWeight& w = *call.weight;
  const int k = w.inputs;
  if constexpr (Kind::kGroup == 1) {
    if (!call.gain) return {call.x, call.x_stride, nullptr};
  }
  const std::ptrdiff_t stride = (w.padded_inputs + 63) / 64 * 64;
  auto* normed = static_cast<float*>(call.workspace);
  auto* scales = normed + stride;
  auto* data = reinterpret_cast<Input*>(scales + (call.rows + 15) / 16 * 16);
  for (int row = 0; row < call.rows; ++row) {
    const float* x = call.x + row * call.x_stride;
    Input* out = data + row * stride;
    if (call.gain) {
      const float* scale = call.scale ? call.scale + row * call.modulation_stride : nullptr;
      const float* shift = call.scale ? call.shift + row * call.modulation_stride : nullptr;
      rms_norm_row(x, k, call.gain, scale, shift, call.epsilon, normed);
      x = normed;
    }
    if constexpr (Kind::kGroup == 1) {
      convert_row(x, k, out);
    } else if constexpr (Kind::kGroup == 2) {
      round_row(x, k, out);
    } else {
      scales[row] = quantise_row(x, k, out);
    }
    for (int i = k; i < w.padded_inputs; ++i) out[i] = Input{};  // meets zero weights
  }
  return {data, stride, scales};
}

// --- Sums and what follows them -----------------------------------------------------------------------------------

// The sums of R rows with one panel, as floats: out [R][kPanel].
template <class Kind, int R>
RTGRAPH_INLINE void multiply(const PackedWeight& w, int panel, const Inputs<Kind>& in, int row, float* out) {
  constexpr int V = kTileVectors<R>;
  constexpr int kStep = kPanel * 4;  // bytes of a panel per group of inputs
  const auto* weights = static_cast<const std::byte*>(w.data) + panel * w.panel_bytes;
  const auto* x = in.data + row * in.stride;
  const int groups = w.padded_inputs / Kind::kGroup;
  for (int first = 0; first < kPanelVectors; first += V) {
    typename Kind::Sum sums[R][V] = {};
    const std::byte* column = weights + first * W * 4;
    for (int g = 0; g < groups; ++g, column += kStep) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v)
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) Kind::add(sums[r][v], column + v * W * 4, x + r * in.stride + g * Kind::kGroup);
    }
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) {
        const int c = (first + v) * W;
        float* y = out + r * kPanel + c;
        if constexpr (Kind::kGroup == 4) {
          const VecInt exact = sums[r][v] - 128 * load_int(w.column_sums + panel * kPanel + c);
          const Vec scale = load(w.scale + panel * kPanel + c) * in.scales[row + r];
          store(y, __builtin_convertvector(exact, Vec) * scale);
        } else {
          store(y, sums[r][v]);
        }
      }
  }
}

// Bias, activation, residual; sums [kPanel] of one row become outputs of that row.
RTGRAPH_INLINE void finish(const LinearCall& call, int panel, int row, float* sums) {
  const PackedWeight& w = *call.weight;
  const float* bias = w.bias + panel * kPanel;
  int width = kPanel;
  if (w.activation == Activation::swiglu) {
    width = kPanel / 2;
    for (int i = 0; i < width; i += W) {
      const Vec gate = load(sums + i) + load(bias + i);
      store(sums + i, silu(gate) * (load(sums + width + i) + load(bias + width + i)));
    }
  } else {
    for (int i = 0; i < width; i += W) {
      const Vec y = load(sums + i) + load(bias + i);
      store(sums + i, w.activation == Activation::silu ? silu(y) : y);
    }
  }
  const int first = panel * width;
  const int count = w.outputs - first < width ? w.outputs - first : width;
  float* y = call.y + row * call.y_stride + first;
  const float* residual = call.residual ? call.residual + row * call.residual_stride + first : nullptr;
  int i = 0;
  for (; i + W <= count; i += W) store(y + i, residual ? load(sums + i) + load(residual + i) : load(sums + i));
  for (; i < count; ++i) y[i] = residual ? sums[i] + residual[i] : sums[i];
}

template <class Kind, int R>
RTGRAPH_INLINE void tile(const LinearCall& call, const Inputs<Kind>& in, int panel, int row) {
  alignas(64) float sums[R * kPanel];
  multiply<Kind, R>(*call.weight, panel, in, row, sums);
  for (int r = 0; r < R; ++r) finish(call, panel, row + r, sums + r * kPanel);
}

template <class Kind>
void run(const LinearCall& call) {
  const Inputs<Kind> in = prepare<Kind>(call);
  for (int panel = 0; panel < call.weight->panels; ++panel) {
    int row = 0;
    for (; row + kMaxRows <= call.rows; row += kMaxRows) tile<Kind, kMaxRows>(call, in, panel, row);
    for (; row < call.rows; ++row) tile<Kind, 1>(call, in, panel, row);
  }
}

}  // namespace

void linear(const LinearCall& call) noexcept {
  switch (call.weight->precision) {
    case Precision::float32: return run<Float>(call);
    case Precision::bfloat16: return run<Bfloat>(call);
    case Precision::int8: return run<Int8>(call);
  }
}

std::int32_t read_all(const void* data, std::size_t bytes) noexcept {
  VecInt sums[8] = {};
  const auto* at = static_cast<const std::byte*>(data);
  for (const auto* end = at + bytes / sizeof sums * sizeof sums; at < end; at += sizeof sums)
    for (int i = 0; i < 8; ++i) sums[i] ^= load_int(at + i * sizeof(VecInt));
  std::int32_t total = 0;
  for (int i = 0; i < 8; ++i)
    for (int lane = 0; lane < W; ++lane) total ^= sums[i][lane];
  return total;
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
