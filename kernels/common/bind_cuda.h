// Owns how addresses on the device and stream handles come from Python.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace rtgraph::kernels {

// An address as torch's data_ptr() gives it; 0 is null.
template <class T>
T* device_pointer(std::uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

// A handle as torch.cuda.Stream.cuda_stream gives it.
inline cudaStream_t stream_handle(std::uintptr_t handle) { return reinterpret_cast<cudaStream_t>(handle); }

}  // namespace rtgraph::kernels
