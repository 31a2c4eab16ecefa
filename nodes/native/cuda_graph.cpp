#include "cuda_graph.h"

#include <dlfcn.h>

#include <memory>
#include <mutex>

namespace rtgraph::nodes {

// CUDA's driver interface, whose handles are pointers and whose results are 0 where all is well.
struct CudaGraph::Driver {
  int (*get_context)(void** context);
  int (*set_context)(void* context);
  int (*launch)(void* exec, void* stream);
  int (*synchronize)(void* stream);
  int (*error_text)(int error, const char** text);

  const char* text(int error) const noexcept {
    const char* said = nullptr;
    return error_text(error, &said) == 0 && said != nullptr ? said : "an unknown CUDA error";
  }
};

const CudaGraph::Driver& CudaGraph::driver(const std::string& library) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Driver>> drivers;
  const std::lock_guard guard(mutex);
  std::unique_ptr<Driver>& known = drivers[library];
  if (known) return *known;
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: CUDA cannot be unloaded
  if (handle == nullptr) throw std::runtime_error(std::string("CUDA's driver cannot be loaded: ") + dlerror());
  auto found = std::make_unique<Driver>();
  const auto look_up = [&](const char* name, auto& function) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr) throw std::runtime_error(library + " has no function " + name + "; install a newer driver");
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  look_up("cuCtxGetCurrent", found->get_context);
  look_up("cuCtxSetCurrent", found->set_context);
  look_up("cuGraphLaunch", found->launch);
  look_up("cuStreamSynchronize", found->synchronize);
  look_up("cuGetErrorString", found->error_text);
  known = std::move(found);
  return *known;
}

CudaGraph::CudaGraph(std::uintptr_t exec, std::uintptr_t stream, std::map<std::string, HostBuffer> host,
                     const std::string& library)
    : driver_(driver(library)),
      exec_(reinterpret_cast<void*>(exec)),
      stream_(reinterpret_cast<void*>(stream)),
      host_(std::move(host)) {
  if (const int error = driver_.get_context(&context_); error != 0 || context_ == nullptr)
    throw std::runtime_error(std::string("no CUDA context is current: ") + driver_.text(error));
}

const char* CudaGraph::run() noexcept {
  int error = driver_.set_context(context_);  // of this thread; nothing to do where it is current already
  if (error == 0) error = driver_.launch(exec_, stream_);
  if (error == 0) error = driver_.synchronize(stream_);
  return error == 0 ? nullptr : driver_.text(error);
}

}  // namespace rtgraph::nodes
