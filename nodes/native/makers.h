// What each native node's file offers to bind.cpp: a function that adds its makers to the module.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "rtgraph/capsule.h"

namespace rtgraph::nodes {

namespace py = pybind11;

// The capsule that rtgraph.NativeNode.native returns.
template <class N, class... Args>
py::object capsule(Args&&... args) {
  PyObject* made = make_capsule(std::make_unique<N>(std::forward<Args>(args)...));
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}

void add_relay(py::module_& m);

}  // namespace rtgraph::nodes
