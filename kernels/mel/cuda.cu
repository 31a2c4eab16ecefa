// Owns the GPU's log-mel: one block of threads a stream, its frame and FFT in shared memory (form as in simd.cpp).
#include <algorithm>
#include <stdexcept>

#include "kernels/mel/cuda.h"

namespace rtgraph::kernels {
namespace {

constexpr int kThreads = 128;

// One radix-4 pass over `half` points at `stride`, from (re, im) to (out_re, out_im), by all threads of the block.
__device__ void radix4(const float* re, const float* im, float* out_re, float* out_im, const float* twiddles, int half,
                       int stride) {
  const int m = half / 4;
  for (int r = threadIdx.x; r < m; r += kThreads) {
    const float ar = re[r], ai = im[r], br = re[r + m], bi = im[r + m];
    const float cr = re[r + 2 * m], ci = im[r + 2 * m], dr = re[r + 3 * m], di = im[r + 3 * m];
    const float sr = ar + cr, si = ai + ci, tr = ar - cr, ti = ai - ci;
    const float ur = br + dr, ui = bi + di, vr = br - dr, vi = bi - di;
    const float y1r = tr + vi, y1i = ti - vr, y2r = sr - ur, y2i = si - ui, y3r = tr - vi, y3i = ti + vr;
    const float* w = twiddles + r;
    const int out = (r & -stride) * 4 + (r & (stride - 1));
    out_re[out] = sr + ur, out_im[out] = si + ui;
    out_re[out + stride] = y1r * w[0] - y1i * w[m], out_im[out + stride] = y1r * w[m] + y1i * w[0];
    out_re[out + 2 * stride] = y2r * w[2 * m] - y2i * w[3 * m];
    out_im[out + 2 * stride] = y2r * w[3 * m] + y2i * w[2 * m];
    out_re[out + 3 * stride] = y3r * w[4 * m] - y3i * w[5 * m];
    out_im[out + 3 * stride] = y3r * w[5 * m] + y3i * w[4 * m];
  }
}

template <int N>
__global__ void __launch_bounds__(kThreads)
    mel_batch(MelBatchTables tables, MelBatchState state, const float* audio, int samples, const std::uint8_t* reset,
              float* mel, int rows, std::int32_t* hops) {
  constexpr int half = N / 2;
  __shared__ float frame[N];
  __shared__ float a[N + 2], b[N + 2];  // real parts, then imaginary parts, [half + 1] each
  __shared__ float sums[kThreads];
  __shared__ float level_now;
  __shared__ int broken;

  const int stream = blockIdx.x, thread = threadIdx.x;
  const int hop = tables.hop_samples, length = tables.frame_samples, window = tables.window_samples;
  const bool fresh = reset != nullptr && reset[stream] != 0;
  audio += static_cast<std::size_t>(stream) * samples;
  mel += static_cast<std::size_t>(stream) * rows * tables.bands;
  float* saved = state.frame + static_cast<std::size_t>(stream) * length;
  for (int i = thread; i < length; i += kThreads) frame[i] = fresh ? 0.0f : saved[i];
  int filled = fresh ? 0 : state.filled[stream];
  double level = fresh ? tables.level.start_level : state.level[stream];
  double heard = fresh ? tables.level.start_s * tables.hops_per_s : state.heard[stream];
  if (thread == 0) broken = 0;
  __syncthreads();

  int row = 0;
  for (int at = 0; at < samples;) {
    const int take = min(samples - at, hop - filled);
    int bad = 0;
    for (int i = thread; i < take; i += kThreads) {
      const float x = audio[at + i], size = fabsf(x);
      frame[length - hop + filled + i] = size <= 1e6f && size >= 1e-10f ? x : 0.0f;
      bad += !(size <= 1e6f);
    }
    if (bad != 0) atomicAdd(&broken, bad);
    at += take, filled += take;
    __syncthreads();
    if (filled < hop) break;

    const float* newest = frame + length - window;
    for (int i = thread; i < half; i += kThreads) {
      const int even = 2 * i, odd = even + 1;
      a[i] = even < window ? newest[even] * tables.window[even] : 0.0f;
      a[half + 1 + i] = odd < window ? newest[odd] * tables.window[odd] : 0.0f;
    }
    __syncthreads();

    float *z = a, *other = b;
    const float* twiddles = tables.pass_twiddles;
    int stride = 1;
    for (; stride * 4 <= half; stride *= 4, twiddles += 6 * (half / 4)) {
      radix4(z, z + half + 1, other, other + half + 1, twiddles, half, stride);
      __syncthreads();
      float* const swap = z;
      z = other, other = swap;
    }
    if (stride < half) {
      for (int r = thread; r < stride; r += kThreads)
        for (int part = 0; part <= half + 1; part += half + 1) {
          const float x = z[part + r], y = z[part + r + stride];
          other[part + r] = x + y, other[part + r + stride] = x - y;
        }
      __syncthreads();
      float* const swap = z;
      z = other, other = swap;
    }

    // Bins k and half - k come from the same two points; twice the amplitude, as the weights hold the half.
    float* bins = other;
    for (int k = thread; k <= half / 2; k += kThreads) {
      const int mirror = k == 0 ? 0 : half - k;
      const float ar = z[k], ai = z[half + 1 + k], br = z[mirror], bi = z[half + 1 + mirror];
      const float er = ar + br, ei = ai - bi, o_r = ai + bi, o_i = br - ar;
      const float wr = k == half / 2 ? 0.0f : tables.real_twiddles[k];
      const float wi = k == half / 2 ? -1.0f : tables.real_twiddles[half / 2 + k];
      const float tr = o_r * wr - o_i * wi, ti = o_r * wi + o_i * wr;
      const float low = (er + tr) * (er + tr) + (ei + ti) * (ei + ti);
      const float high = (er - tr) * (er - tr) + (ei - ti) * (ei - ti);
      bins[k] = tables.magnitude ? sqrtf(low) : low;
      bins[half - k] = tables.magnitude ? sqrtf(high) : high;
    }
    __syncthreads();

    float* out = mel + row * tables.bands;
    float own = 0.0f;
    for (int band = thread; band < tables.bands; band += kThreads) {
      const int first = tables.band_first[band], last = tables.band_first[band + 1], bin = tables.band_start[band];
      float total = 0.0f;
      for (int i = first; i < last; ++i) total += bins[bin + i - first] * tables.band_weights[i];
      out[band] = logf(fmaxf(total, tables.floor));
      own += out[band];
    }
    if (tables.level.enabled) {
      sums[thread] = own;
      __syncthreads();
      for (int n = kThreads / 2; n > 0; n /= 2) {
        if (thread < n) sums[thread] += sums[thread + n];
        __syncthreads();
      }
      if (thread == 0) {
        const double hop_level = static_cast<double>(sums[0]) / tables.bands;
        if (hop_level >= tables.level.silence_level) {
          const double weight = hop_level >= level - tables.level.gate_below ? 1.0 : 1.0 / tables.level.gated_slowdown;
          heard = fmin(heard + weight, fmax(1.0, tables.level.memory_s * tables.hops_per_s));
          level += weight / fmax(heard, 1.0) * (hop_level - level);
        }
        level_now = static_cast<float>(level);
      }
      __syncthreads();
      for (int band = thread; band < tables.bands; band += kThreads) out[band] -= level_now;
    }

    // The next hop's place: a step down the frame, a stretch of threads at a time so that none reads what one wrote.
    for (int from = hop; from < length; from += kThreads) {
      const float moved = from + thread < length ? frame[from + thread] : 0.0f;
      __syncthreads();
      if (from + thread < length) frame[from - hop + thread] = moved;
      __syncthreads();
    }
    filled = 0, ++row;
  }

  for (int i = thread; i < length; i += kThreads) saved[i] = frame[i];
  if (thread == 0) {
    state.level[stream] = level, state.heard[stream] = heard, state.filled[stream] = filled;
    state.replaced[stream] = (fresh ? 0 : state.replaced[stream]) + broken;
    hops[stream] = row;
  }
}

using Kernel = void (*)(MelBatchTables, MelBatchState, const float*, int, const std::uint8_t*, float*, int,
                        std::int32_t*);

Kernel kernel_for(int fft_size) {
  switch (fft_size) {
    case 128: return mel_batch<128>;
    case 256: return mel_batch<256>;
    case 512: return mel_batch<512>;
    case 1024: return mel_batch<1024>;
    case 2048: return mel_batch<2048>;
  }
  throw std::invalid_argument("mel on CUDA: fft_size: expected at most 2048; use the CPU, or a shorter window");
}

}  // namespace

MelBatch::MelBatch(const MelConfig& config, int streams) : fft_size_(config.fft_size), streams_(streams) {
  kernel_for(config.fft_size);
  if (streams < 1) throw std::invalid_argument("mel on CUDA: streams: expected 1 or more");
  if (config.hop_samples > config.fft_size)
    throw std::invalid_argument("mel on CUDA: hop_samples: expected at most fft_size; use the CPU, or a longer FFT");
  const MelPlan plan(config, Isa::baseline);
  const MelTables& host = plan.tables();
  constexpr int width = 4;  // floats in a baseline vector: how the plan pads its weights
  const std::size_t half = config.fft_size / 2;
  std::size_t passes = 0;
  for (std::size_t stride = 1; stride * 4 <= half; stride *= 4) ++passes;

  // The plan's padding may reach past the last bin, where its weights are zero: those are left out.
  std::vector<std::int32_t> first{0};
  std::vector<float> weights;
  const float* from = host.band_weights;
  for (int band = 0; band < config.bands; ++band) {
    const int length = host.band_steps[band] * width;
    const int used = std::min<int>(length, static_cast<int>(half) + 1 - host.band_start[band]);
    weights.insert(weights.end(), from, from + used);
    first.push_back(static_cast<std::int32_t>(weights.size()));
    from += length;
  }
  window_ = {host.window, static_cast<std::size_t>(config.window_samples)};
  pass_twiddles_ = {host.pass_twiddles, passes * 6 * (half / 4)};
  real_twiddles_ = {host.real_twiddles, half};
  band_start_ = {host.band_start, static_cast<std::size_t>(config.bands)};
  band_first_ = {first.data(), first.size()};
  band_weights_ = {weights.data(), weights.size()};

  const int length = std::max(config.window_samples, config.hop_samples);
  const double hops_per_s = static_cast<double>(config.sample_rate_hz) / config.hop_samples;
  const std::vector<double> level(streams, config.level.start_level);
  const std::vector<double> heard(streams, config.level.start_s * hops_per_s);
  frame_ = DeviceBuffer<float>(static_cast<std::size_t>(streams) * length);
  level_ = {level.data(), level.size()};
  heard_ = {heard.data(), heard.size()};
  filled_ = DeviceBuffer<std::int32_t>(streams);
  replaced_ = DeviceBuffer<unsigned long long>(streams);
  tables_ = {.window_samples = config.window_samples,
             .hop_samples = config.hop_samples,
             .frame_samples = length,
             .bands = config.bands,
             .magnitude = config.spectrum == MelSpectrum::magnitude,
             .floor = config.floor,
             .level = config.level,
             .hops_per_s = hops_per_s,
             .window = window_.data(),
             .pass_twiddles = pass_twiddles_.data(),
             .real_twiddles = real_twiddles_.data(),
             .band_start = band_start_.data(),
             .band_first = band_first_.data(),
             .band_weights = band_weights_.data()};
  state_ = {.frame = frame_.data(),
            .level = level_.data(),
            .heard = heard_.data(),
            .filled = filled_.data(),
            .replaced = replaced_.data()};
}

void MelBatch::push(const float* audio, int samples, const std::uint8_t* reset, float* mel, std::int32_t* hops,
                    cudaStream_t stream) {
  launch(kernel_for(fft_size_), dim3(streams_), dim3(kThreads), stream, "mel_batch", tables_, state_, audio, samples,
         reset, mel, rows_for(samples), hops);
}

}  // namespace rtgraph::kernels
