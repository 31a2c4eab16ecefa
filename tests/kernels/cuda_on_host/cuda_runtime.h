// Owns a stand-in for the CUDA runtime that runs kernels on the host, so that their arithmetic is tested without a GPU.
//
// A block's threads are fibers on one system thread. Each runs to its next __syncthreads; the order turns round after
// every barrier, so that a value read before the barrier that should guard it shows up as a wrong result. Blocks run one
// after the other. Covers what kernels/*/cuda.cu use, and no more: no warp intrinsics, no dynamic shared memory.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct float3 {
  float x, y, z;
};
struct float4 {
  float x, y, z, w;
};
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
using std::max;
using std::min;

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess, cudaErrorMemoryAllocation };
enum cudaMemcpyKind { cudaMemcpyHostToDevice };
inline const char* cudaGetErrorString(cudaError_t) { return "out of memory"; }
inline cudaError_t cudaMalloc(void** p, std::size_t n) {
  return (*p = std::malloc(n)) != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFree(void* p) { return std::free(p), cudaSuccess; }
inline const cudaStream_t cudaStreamLegacy = nullptr;
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaMemset(void* p, int value, std::size_t n) { return std::memset(p, value, n), cudaSuccess; }
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t n, cudaMemcpyKind) {
  return std::memcpy(to, from, n), cudaSuccess;
}

inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_on_host {

struct Fiber {
  ucontext_t context{};
  std::vector<char> stack = std::vector<char>(64 * 1024);
  bool done = false;
};

inline ucontext_t scheduler;
inline std::vector<Fiber> fibers;
inline std::size_t current;
inline std::function<void()> body;
inline bool all_true = true, all_true_before = true;

inline void wait() { swapcontext(&fibers[current].context, &scheduler); }

inline void enter() {
  body();
  fibers[current].done = true;
  swapcontext(&fibers[current].context, &scheduler);
}

inline void run_block(unsigned threads) {
  if (fibers.size() < threads) fibers.resize(threads);
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = fibers[i];
    fiber.done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, enter, 0);
  }
  for (unsigned left = threads, phase = 0; left > 0; ++phase) {
    unsigned ended = 0;
    for (unsigned i = 0; i < threads; ++i) {
      current = phase % 2 == 0 ? i : threads - 1 - i;
      threadIdx = dim3(static_cast<unsigned>(current), 0, 0);
      swapcontext(&scheduler, &fibers[current].context);
      ended += fibers[current].done;
    }
    if (ended != 0 && ended != threads) {
      std::fprintf(stderr, "cuda_on_host: %u of %u threads ended while the others wait at a barrier\n", ended, threads);
      std::abort();
    }
    left = threads - ended;
    all_true_before = std::exchange(all_true, true);
  }
}

}  // namespace cuda_on_host

inline void __syncthreads() { cuda_on_host::wait(); }
inline int __syncthreads_and(int value) {
  cuda_on_host::all_true &= value != 0;
  cuda_on_host::wait();
  return cuda_on_host::all_true_before;
}
template <class T>
T atomicAdd(T* at, T value) {
  const T before = *at;
  *at += value;
  return before;
}

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
};

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  gridDim = config->gridDim, blockDim = config->blockDim;
  for (unsigned y = 0; y < gridDim.y; ++y)
    for (unsigned x = 0; x < gridDim.x; ++x) {
      blockIdx = dim3(x, y, 0);
      cuda_on_host::body = [&] { kernel(arguments...); };
      cuda_on_host::run_block(blockDim.x);
    }
  return cudaSuccess;
}
