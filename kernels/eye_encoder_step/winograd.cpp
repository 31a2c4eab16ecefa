// Owns the eye encoder's 3x3 convolutions of stride 1 (compiled per instruction set), by the minimal filtering
// F(2x2, 3x3) of A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, 2016: 16 products in place of 36
// for every four output pixels. A row of tiles is transformed, multiplied and transformed back at a time, in the cache.
#include "kernels/common/simd.h"
#include "kernels/eye_encoder_step/eye_encoder_step.h"

namespace rtgraph::kernels::RTGRAPH_ISA {

int eye_block_channels(int left) noexcept;

namespace {

constexpr int kPlaces = 16;  // numbers of a transformed tile of 4 x 4

// One tile's window of 4 x 4 pixels at x -> its 16 numbers for every channel, each in a plane of its own.
RTGRAPH_INLINE void enter(const float* x, int x_row, int inputs, float* v, int plane) {
  for (int c = 0; c < inputs; c += W) {
    Vec t[4][4];
    for (int j = 0; j < 4; ++j) {
      const float* column = x + j * inputs + c;
      const Vec a = load(column), b = load(column + x_row), d = load(column + 2 * x_row), e = load(column + 3 * x_row);
      t[0][j] = a - d, t[1][j] = b + d, t[2][j] = d - b, t[3][j] = b - e;
    }
    for (int i = 0; i < 4; ++i) {
      float* to = v + 4 * i * plane + c;
      store(to, t[i][0] - t[i][2]), store(to + plane, t[i][1] + t[i][2]);
      store(to + 2 * plane, t[i][2] - t[i][1]), store(to + 3 * plane, t[i][1] - t[i][3]);
    }
  }
}

// P tiles [inputs] times [inputs][N * W] -> N * W channels of P tiles.
template <int P, int N>
RTGRAPH_INLINE void multiply(const float* v, int inputs, const float* weight, float* m, int outputs) {
  Vec sums[P][N] = {};
  for (int c = 0; c < inputs; ++c, weight += N * W) {
    Vec w[N];
    for (int n = 0; n < N; ++n) w[n] = load(weight + n * W);
    for (int p = 0; p < P; ++p) {
      const Vec value = splat(v[p * inputs + c]);
      for (int n = 0; n < N; ++n) sums[p][n] += value * w[n];
    }
  }
  for (int p = 0; p < P; ++p)
    for (int n = 0; n < N; ++n) store(m + p * outputs + n * W, sums[p][n]);
}

template <int P>
RTGRAPH_INLINE void multiply_block(int width, const float* v, int inputs, const float* weight, float* m, int outputs) {
  if constexpr (W == 16) {
    if (width == 48) return multiply<P, 3>(v, inputs, weight, m, outputs);
    if (width == 16) return multiply<P, 1>(v, inputs, weight, m, outputs);
  }
  multiply<P, 2>(v, inputs, weight, m, outputs);
}

// The 16 numbers of a tile's channels -> 2 x 2 output pixels at y, with bias, shortcut (at x) and rectifier.
RTGRAPH_INLINE void leave(const EyeStage& s, const float* m, int plane, const float* x, float* y) {
  for (int c = 0; c < s.outputs; c += W) {
    Vec t[2][4];
    for (int j = 0; j < 4; ++j) {
      const float* from = m + j * plane + c;
      const Vec a = load(from), b = load(from + 4 * plane), d = load(from + 8 * plane), e = load(from + 12 * plane);
      t[0][j] = a + b + d, t[1][j] = b - d - e;
    }
    const Vec bias = load(s.bias + c);
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) {
        Vec out = bias + (j == 0 ? t[i][0] + t[i][1] + t[i][2] : t[i][1] - t[i][2] - t[i][3]);
        if (s.inputs == s.outputs) out += load(x + i * s.x_row + j * s.inputs + c);
        store(y + i * s.y_row + j * s.outputs + c, max(out, Vec{}));
      }
  }
}

template <int P>
void rows_of_tiles(const EyeStage& s) {
  const int tiles = s.out_side / 2;
  const int v_plane = tiles * s.inputs, m_plane = tiles * s.outputs;
  float *v = s.scratch, *m = s.scratch + kPlaces * v_plane;
  for (int row = 0; row < s.out_side; row += 2) {
    const float* x = s.x + row * s.x_row;
    for (int t = 0; t < tiles; ++t) enter(x + 2 * t * s.inputs, s.x_row, s.inputs, v + t * s.inputs, v_plane);
    const float* weight = s.weight;
    for (int channel = 0; channel < s.outputs;) {
      const int width = eye_block_channels(s.outputs - channel);
      for (int k = 0; k < kPlaces; ++k, weight += s.inputs * width)
        for (int t = 0; t < tiles; t += P)
          multiply_block<P>(width, v + k * v_plane + t * s.inputs, s.inputs, weight,
                            m + k * m_plane + t * s.outputs + channel, s.outputs);
      channel += width;
    }
    const float* middle = x + s.x_row + s.inputs;
    float* y = s.y + row * s.y_row;
    for (int t = 0; t < tiles; ++t)
      leave(s, m + t * s.outputs, m_plane, middle + 2 * t * s.inputs, y + 2 * t * s.outputs);
  }
}

}  // namespace

void eye_winograd(const EyeStage& s) noexcept {
  if (W == 16 && s.out_side % 16 == 0)
    rows_of_tiles<8>(s);
  else
    rows_of_tiles<4>(s);
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
