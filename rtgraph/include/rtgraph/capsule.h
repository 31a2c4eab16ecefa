// Hands a native node from an extension module to Python: the one part of the native contract that needs Python.h.
#pragma once

#include <Python.h>

#include <utility>

#include "rtgraph/node.h"

namespace rtgraph {

// New reference to a capsule that owns `node`, or null with a Python error set. Call with the GIL held.
inline PyObject* make_capsule(std::unique_ptr<Node> node) {
  auto* table = new rtgraph_node(detail::box(std::move(node)));
  const auto destroy = [](PyObject* capsule) {
    auto* t = static_cast<rtgraph_node*>(PyCapsule_GetPointer(capsule, RTGRAPH_CAPSULE_NAME));
    if (t == nullptr) return;
    t->destroy(t->self);
    delete t;
  };
  PyObject* capsule = PyCapsule_New(table, RTGRAPH_CAPSULE_NAME, destroy);
  if (capsule == nullptr) {
    table->destroy(table->self);
    delete table;
  }
  return capsule;
}

}  // namespace rtgraph
