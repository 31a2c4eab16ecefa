// Owns the products of the eye encoder: 3x3 convolutions but those of winograd.cpp, and dense layers (compiled per
// instruction set).
//
// A tile of P output pixels times N vectors of output channels stays in registers while the inputs pass by: for each of
// the three rows a pixel's window is one contiguous run of 3 * inputs floats, so there is no gather and no copy.
#include "kernels/common/simd.h"
#include "kernels/eye_encoder_step/eye_encoder_step.h"
#include "kernels/linear/simd_math.h"

namespace rtgraph::kernels::RTGRAPH_ISA {
namespace {

template <int P, int N>
RTGRAPH_INLINE void tile(const EyeStage& s, const float* x, float* y, const float* weight, int channel) {
  Vec sums[P][N];
  for (int p = 0; p < P; ++p)
    for (int n = 0; n < N; ++n) sums[p][n] = load(s.bias + channel + n * W);
  const int run = 3 * s.inputs, step = s.stride * s.inputs;
  for (int ky = 0; ky < 3; ++ky) {
    const float* row = x + ky * s.x_row;
    for (int j = 0; j < run; ++j, weight += N * W) {
      Vec w[N];
      for (int n = 0; n < N; ++n) w[n] = load(weight + n * W);
      for (int p = 0; p < P; ++p) {
        const Vec value = splat(row[p * step + j]);
        for (int n = 0; n < N; ++n) sums[p][n] += value * w[n];
      }
    }
  }
  const bool shortcut = s.inputs == s.outputs;
  const float* middle = x + s.x_row + s.inputs;
  for (int p = 0; p < P; ++p)
    for (int n = 0; n < N; ++n) {
      Vec v = sums[p][n];
      if (shortcut) v += load(middle + p * step + channel + n * W);
      store(y + p * s.outputs + channel + n * W, max(v, Vec{}));
    }
}

// Output channels from `channel` on, N vectors of them, for the whole picture.
template <int P, int N>
void block(const EyeStage& s, const float* weight, int channel) {
  for (int row = 0; row < s.out_side; ++row) {
    const float* x = s.x + row * s.stride * s.x_row;
    float* y = s.y + row * s.y_row;
    for (int column = 0; column < s.out_side; column += P)
      tile<P, N>(s, x + column * s.stride * s.inputs, y + column * s.outputs, weight, channel);
  }
}

template <int N>
RTGRAPH_INLINE void block_of(const EyeStage& s, const float* weight, int channel) {
  constexpr int wide = W == 16 ? 8 : 4;
  if (s.out_side % wide == 0)
    block<wide, N>(s, weight, channel);
  else
    block<4, N>(s, weight, channel);
}

}  // namespace

// The mean column and row under each map's softmax.
void eye_locate(const EyeMaps& m) noexcept {
  const int pixels = m.side * m.side;
  const float step = 2 * m.reach / m.side, first = 0.5f * step - m.reach;
  for (int c = 0; c < m.padded; c += W) {
    const float* map = m.maps + c;
    Vec strongest = load(map);
    for (int i = 1; i < pixels; ++i) strongest = max(strongest, load(map + i * m.padded));
    Vec total{}, across{}, down{};
    for (int y = 0; y < m.side; ++y) {
      Vec row{};
      for (int x = 0; x < m.side; ++x, map += m.padded) {
        const Vec share = exp(load(map) - strongest);
        row += share, across += share * (first + step * x);
      }
      total += row, down += row * (first + step * y);
    }
    across /= total, down /= total;
    for (int k = 0; k < W && c + k < m.count; ++k) {
      m.places[2 * (c + k)] = across[k];
      m.places[2 * (c + k) + 1] = down[k];
    }
  }
}

// Vectors of one block of output channels; the packing in cpu.cpp asks for the same. out_side is a multiple of 4.
int eye_block_channels(int left) noexcept {
  if constexpr (W == 16) return left == 16 ? 16 : left % 48 == 0 ? 48 : 32;
  return 2 * W;
}

void eye_convolve(const EyeStage& s) noexcept {
  const float* weight = s.weight;
  for (int channel = 0; channel < s.outputs;) {
    const int width = eye_block_channels(s.outputs - channel);
    if constexpr (W == 16) {
      if (width == 48) block_of<3>(s, weight, channel);
      else if (width == 32) block_of<2>(s, weight, channel);
      else block_of<1>(s, weight, channel);
    } else {
      block_of<2>(s, weight, channel);
    }
    weight += 9 * s.inputs * width;
    channel += width;
  }
}

void eye_multiply(const float* x, int x_row, int inputs, const float* weight, const float* bias, int padded,
                  bool rectify, float* y, int y_row) noexcept {
  constexpr int N = 16 / W < 4 ? 4 : 16 / W;  // vectors at a time, for two eyes
  for (int c = 0; c < padded;) {
    const int count = (padded - c) / W < N ? (padded - c) / W : N;
    Vec a[N], b[N];
    for (int n = 0; n < N; ++n) a[n] = b[n] = n < count ? load(bias + c + n * W) : Vec{};
    const float* w = weight + c;
    if (count == N) {
      for (int j = 0; j < inputs; ++j, w += padded) {
        const Vec u = splat(x[j]), v = splat(x[x_row + j]);
        for (int n = 0; n < N; ++n) {
          const Vec m = load(w + n * W);
          a[n] += u * m, b[n] += v * m;
        }
      }
    } else {
      for (int j = 0; j < inputs; ++j, w += padded) {
        const Vec u = splat(x[j]), v = splat(x[x_row + j]);
        for (int n = 0; n < count; ++n) {
          const Vec m = load(w + n * W);
          a[n] += u * m, b[n] += v * m;
        }
      }
    }
    for (int n = 0; n < count; ++n) {
      store(y + c + n * W, rectify ? max(a[n], Vec{}) : a[n]);
      store(y + y_row + c + n * W, rectify ? max(b[n], Vec{}) : b[n]);
    }
    c += count * W;
  }
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
