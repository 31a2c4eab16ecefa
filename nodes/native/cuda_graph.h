// Owns CudaGraph: a CUDA graph that Python has captured, launched without Python.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

namespace rtgraph::nodes {

// Page-locked memory that the graph copies from before its kernels, or to after them.
struct HostBuffer {
  void* data = nullptr;
  std::size_t bytes = 0;
};

// The driver is looked for when the first graph is made: nothing here needs CUDA to be built or loaded.
class CudaGraph {
 public:
  // exec: a CUgraphExec of the context that is current on this thread; stream: a CUstream of it; host: by name. All of
  // them stay their owner's, and must outlive this object. driver: the library's name. Throws std::runtime_error.
  CudaGraph(std::uintptr_t exec, std::uintptr_t stream, std::map<std::string, HostBuffer> host, const std::string& driver);

  // Launches, and waits until the results lie in the host's buffers. Null, or what went wrong in CUDA's words, which stay
  // valid. One thread at a time.
  const char* run() noexcept;

  // The buffer of this name, so many T long. Throws std::runtime_error where it is another.
  template <class T>
  T* buffer(const std::string& name, std::size_t count) const {
    const auto found = host_.find(name);
    if (found == host_.end() || found->second.bytes != count * sizeof(T))
      throw std::runtime_error("the captured graph has no buffer '" + name + "' of " + std::to_string(count * sizeof(T)) + " bytes");
    return static_cast<T*>(found->second.data);
  }

 private:
  struct Driver;  // the few functions that are called
  static const Driver& driver(const std::string& library);

  const Driver& driver_;
  void* exec_;
  void* stream_;
  void* context_ = nullptr;
  std::map<std::string, HostBuffer> host_;
};

}  // namespace rtgraph::nodes
