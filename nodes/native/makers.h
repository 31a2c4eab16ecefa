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

void add_avatar_decoder(py::module_& m);
void add_eye_encoder(py::module_& m);
void add_mel(py::module_& m);
void add_mix(py::module_& m);
void add_one_step_denoiser(py::module_& m);
void add_online_encoder(py::module_& m);
void add_relay(py::module_& m);
void add_speech_gate(py::module_& m);

}  // namespace rtgraph::nodes
