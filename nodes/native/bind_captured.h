// Takes kernels.common.captured.Captured apart.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "cuda_graph.h"

namespace rtgraph::nodes {

// captured: exec, stream (integers), host ({name: (address, bytes)}), driver (a library's name).
inline CudaGraph captured_graph(const pybind11::object& captured) {
  std::map<std::string, HostBuffer> host;
  for (const auto& [name, place] : pybind11::dict(captured.attr("host"))) {
    const auto [address, bytes] = place.cast<std::pair<std::uintptr_t, std::size_t>>();
    host[name.cast<std::string>()] = {reinterpret_cast<void*>(address), bytes};
  }
  return CudaGraph(captured.attr("exec").cast<std::uintptr_t>(), captured.attr("stream").cast<std::uintptr_t>(),
                   std::move(host), captured.attr("driver").cast<std::string>());
}

}  // namespace rtgraph::nodes
