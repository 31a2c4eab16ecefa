// Owns what the CUDA sources share: checked calls and device arrays. Nothing here is called between capture and replay.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace rtgraph::kernels {

// Throws std::runtime_error that names the call where a CUDA call failed.
inline void check_cuda(cudaError_t status, const char* call) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(status));
}

// Starts a kernel on a stream. Throws where it cannot start; does not wait.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream, const char* name,
            Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid, config.blockDim = block, config.stream = stream;
  check_cuda(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...), name);
}

// A fixed-size array on the current device: a copy of a host array, or zeros.
template <class T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    check_cuda(cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T)), "cudaMalloc");
    check_cuda(cudaMemset(data_, 0, size * sizeof(T)), "cudaMemset");
    wait();
  }
  DeviceBuffer(const T* host, std::size_t size) : DeviceBuffer(size) { upload(host, size); }
  ~DeviceBuffer() { cudaFree(data_); }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_), std::swap(size_, other.size_);
    return *this;
  }

  // Blocks until the copy is done.
  void upload(const T* host, std::size_t size, std::size_t at = 0) {
    if (size == 0) return;
    check_cuda(cudaMemcpy(data_ + at, host, size * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy");
    wait();
  }
  // Zeroing, and copying from memory that is not page-locked, may still be under way when CUDA returns, and streams
  // that do not block would not wait for it.
  static void wait() { check_cuda(cudaStreamSynchronize(cudaStreamLegacy), "cudaStreamSynchronize"); }

  T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace rtgraph::kernels
