// Owns the arithmetic of one log-mel frame: window, real FFT, filterbank, logarithm (compiled per instruction set).
//
// The real FFT of n points is a complex one of n/2 (even samples real, odd samples imaginary), in Stockham's
// self-sorting form: radix 4, one radix-2 pass where n/2 is not a power of four. Real and imaginary parts stand
// apart, so every load is one whole vector; see C. Van Loan, Computational Frameworks for the FFT, 1992, section 1.7.
#include "kernels/common/simd.h"
#include "kernels/mel/mel.h"

namespace rtgraph::kernels::RTGRAPH_ISA {
namespace {

struct Pass {
  const float *re, *im;        // [n] in
  float *out_re, *out_im;      // [n] out
  const float* twiddles;       // [6][n / 4]
  int quarter;                 // n / 4
};

// Stores result k (a, b, c, d) of element r at 4 * (r / Stride) * Stride + k * Stride + r % Stride.
template <int Stride>
RTGRAPH_INLINE void store_interleaved(float* out, Vec a, Vec b, Vec c, Vec d) {
  const Vec ac_lo = zip_lo<Stride>(a, c), ac_hi = zip_hi<Stride>(a, c);
  const Vec bd_lo = zip_lo<Stride>(b, d), bd_hi = zip_hi<Stride>(b, d);
  store(out, zip_lo<Stride>(ac_lo, bd_lo));
  store(out + W, zip_hi<Stride>(ac_lo, bd_lo));
  store(out + 2 * W, zip_lo<Stride>(ac_hi, bd_hi));
  store(out + 3 * W, zip_hi<Stride>(ac_hi, bd_hi));
}

// One radix-4 pass at stride `Stride`, or at the run-time `stride` (a multiple of W) where Stride is 0.
template <int Stride>
RTGRAPH_INLINE void radix4(const Pass& pass, int stride) {
  const int m = pass.quarter;
  for (int r = 0; r < m; r += W) {
    const Vec ar = load(pass.re + r), ai = load(pass.im + r);
    const Vec br = load(pass.re + r + m), bi = load(pass.im + r + m);
    const Vec cr = load(pass.re + r + 2 * m), ci = load(pass.im + r + 2 * m);
    const Vec dr = load(pass.re + r + 3 * m), di = load(pass.im + r + 3 * m);
    const Vec sr = ar + cr, si = ai + ci, tr = ar - cr, ti = ai - ci;
    const Vec ur = br + dr, ui = bi + di, vr = br - dr, vi = bi - di;
    const float* w = pass.twiddles + r;
    const Vec w1r = load(w), w1i = load(w + m), w2r = load(w + 2 * m), w2i = load(w + 3 * m);
    const Vec w3r = load(w + 4 * m), w3i = load(w + 5 * m);
    const Vec y0r = sr + ur, y0i = si + ui;
    const Vec y2r = sr - ur, y2i = si - ui;
    const Vec y1r = tr + vi, y1i = ti - vr;  // t - i v
    const Vec y3r = tr - vi, y3i = ti + vr;  // t + i v
    const Vec z1r = y1r * w1r - y1i * w1i, z1i = y1r * w1i + y1i * w1r;
    const Vec z2r = y2r * w2r - y2i * w2i, z2i = y2r * w2i + y2i * w2r;
    const Vec z3r = y3r * w3r - y3i * w3i, z3i = y3r * w3i + y3i * w3r;
    if constexpr (Stride == 0) {
      const int out = (r & -stride) * 4 + (r & (stride - 1));
      store(pass.out_re + out, y0r), store(pass.out_im + out, y0i);
      store(pass.out_re + out + stride, z1r), store(pass.out_im + out + stride, z1i);
      store(pass.out_re + out + 2 * stride, z2r), store(pass.out_im + out + 2 * stride, z2i);
      store(pass.out_re + out + 3 * stride, z3r), store(pass.out_im + out + 3 * stride, z3i);
    } else {
      store_interleaved<Stride>(pass.out_re + 4 * r, y0r, z1r, z2r, z3r);
      store_interleaved<Stride>(pass.out_im + 4 * r, y0i, z1i, z2i, z3i);
    }
  }
}

// Complex FFT of n points over buffers a and b (real parts, then imaginary ones); returns the one with the result.
RTGRAPH_INLINE float* complex_fft(const MelTables& tables, int n, float* a, float* b) {
  Pass pass{nullptr, nullptr, nullptr, nullptr, tables.pass_twiddles, n / 4};
  const int imaginary = n + W;  // room behind the real parts for the wrapped-around first bin
  int stride = 1;
  for (; stride * 4 <= n; stride *= 4) {
    pass.re = a, pass.im = a + imaginary, pass.out_re = b, pass.out_im = b + imaginary;
    if (stride == 1)
      radix4<1>(pass, 1);
    else if (stride == 4 && W > 4)
      radix4<(W > 4 ? 4 : 0)>(pass, 4);
    else
      radix4<0>(pass, stride);
    pass.twiddles += 6 * pass.quarter;
    float* t = a;
    a = b, b = t;
  }
  if (stride < n) {
    for (int r = 0; r < stride; r += W) {
      const Vec ar = load(a + r), ai = load(a + imaginary + r);
      const Vec br = load(a + r + stride), bi = load(a + imaginary + r + stride);
      store(b + r, ar + br), store(b + imaginary + r, ai + bi);
      store(b + r + stride, ar - br), store(b + imaginary + r + stride, ai - bi);
    }
    return b;
  }
  return a;
}

RTGRAPH_INLINE Vec amplitude(bool magnitude, Vec re, Vec im) {
  const Vec power = re * re + im * im;
  return magnitude ? sqrt(power) : power;
}

// Spectrum of the real signal from the packed complex one, z [half] and z[half + W ..]: bins [half + 1], then W zeros.
RTGRAPH_INLINE void real_spectrum(const MelTables& tables, float* z, int half, float* bins) {
  float *re = z, *im = z + half + W;
  re[half] = re[0], im[half] = im[0];
  const bool magnitude = tables.magnitude;
  for (int k = 0; k < half / 2; k += W) {
    const Vec ar = load(re + k), ai = load(im + k);
    const Vec br = reverse(load(re + half - k - W + 1)), bi = reverse(load(im + half - k - W + 1));
    const Vec er = ar + br, ei = ai - bi;  // twice the even samples' bin
    const Vec or_ = ai + bi, oi = br - ar; // twice the odd samples' bin
    const Vec wr = load(tables.real_twiddles + k), wi = load(tables.real_twiddles + half / 2 + k);
    const Vec tr = or_ * wr - oi * wi, ti = or_ * wi + oi * wr;
    store(bins + k, amplitude(magnitude, er + tr, ei + ti));
    store(bins + half - k - W + 1, reverse(amplitude(magnitude, er - tr, ti - ei)));
  }
  const Vec middle = amplitude(magnitude, splat(2.0f * re[half / 2]), splat(2.0f * im[half / 2]));
  bins[half / 2] = middle[0];
  store(bins + half + 1, Vec{});
}

}  // namespace

void mel_transform(const MelTables& tables, const float* frame, float* work, float* bands) noexcept {
  const int half = tables.fft_size / 2;
  float* a = work;
  float* b = work + 2 * (half + W);
  const int used = (tables.window_samples + 2 * W - 1) / (2 * W) * W;  // complex points that are not all zeros
  for (int i = 0; i < used; i += W) {
    const Vec x = load(frame + 2 * i) * load(tables.window + 2 * i);
    const Vec y = load(frame + 2 * i + W) * load(tables.window + 2 * i + W);
    store(a + i, evens(x, y));
    store(a + half + W + i, odds(x, y));
  }
  for (int i = used; i < half; i += W) store(a + i, Vec{}), store(a + half + W + i, Vec{});

  float* z = complex_fft(tables, half, a, b);
  float* bins = z == a ? b : a;
  real_spectrum(tables, z, half, bins);

  const float* weights = tables.band_weights;
  for (int band = 0; band < tables.bands_padded; band += W) {
    Vec sums[W];
    for (int i = 0; i < W; ++i) {
      const float* bin = bins + tables.band_start[band + i];
      Vec total = load(bin) * load(weights);
      weights += W;
      for (int step = 1; step < tables.band_steps[band + i]; ++step, weights += W)
        total += load(bin + step * W) * load(weights);
      sums[i] = total;
    }
    store(bands + band, log(max(sum_each(sums), splat(tables.floor))));
  }
}

std::size_t mel_clean(const float* in, std::size_t n, float* out) noexcept {
  // Below 1e-10 (-200 dBFS) no sample reaches the floor, and its products would be slow denormals.
  std::size_t i = 0;
  VecInt broken_lanes = {};
  for (; i + W <= n; i += W) {
    const Vec x = load(in + i);
    const Vec size = (Vec)((VecInt)x & 0x7fffffff);
    const VecInt good = size <= 1e6f;
    store(out + i, select(good & (size >= 1e-10f), x, Vec{}));
    broken_lanes += good + 1;  // a true lane is -1
  }
  std::size_t broken = 0;
  for (int j = 0; j < W; ++j) broken += broken_lanes[j];
  for (; i < n; ++i) {
    const float size = __builtin_fabsf(in[i]);
    const bool good = size <= 1e6f;
    out[i] = good && size >= 1e-10f ? in[i] : 0.0f;
    broken += !good;
  }
  return broken;
}

}  // namespace rtgraph::kernels::RTGRAPH_ISA
