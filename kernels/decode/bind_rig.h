// Owns how a rig comes from Python (rig.py) and is packed, for the CPU and the CUDA module.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "kernels/decode/decode.h"

namespace rtgraph::kernels {

inline std::shared_ptr<DecodePlan> decode_plan_from(const pybind11::object& rig, Isa isa) {
  using Floats = pybind11::array_t<float, pybind11::array::c_style>;
  using Ints = pybind11::array_t<std::int32_t, pybind11::array::c_style>;
  const auto floats = [&](const char* name) { return rig.attr(name).cast<Floats>(); };
  const auto ints = [&](const char* name) { return rig.attr(name).cast<Ints>(); };
  const Floats neutral = floats("neutral"), delta = floats("shape_delta"), pivot = floats("joint_pivot");
  const Floats drive = floats("joint_drive"), weight = floats("skin_weight"), mean = floats("gaussian_mean");
  const Floats rotation = floats("gaussian_rotation"), scale = floats("gaussian_scale");
  const Ints triangle = ints("triangles"), start = ints("shape_start"), vertex = ints("shape_vertex");
  const Ints parent = ints("joint_parent"), joint = ints("skin_joint"), carrier = ints("gaussian_triangle");
  const Ints weld = ints("weld");

  const int shapes = static_cast<int>(start.size()) - 1;
  if (shapes >= 0 && start.at(shapes) != vertex.size())
    throw std::invalid_argument("rig: shape_start: last entry: expected the length of shape_vertex (" +
                                std::to_string(vertex.size()) + "), got " + std::to_string(start.at(shapes)));
  const auto count = [](pybind11::ssize_t n) { return static_cast<int>(n); };
  const RigView view{.vertices = count(neutral.shape(0)),
                     .triangles = count(triangle.shape(0)),
                     .shapes = shapes,
                     .inputs = count(drive.shape(2)),
                     .joints = count(parent.size()),
                     .influences = count(joint.shape(1)),
                     .gaussians = count(carrier.size()),
                     .neutral = neutral.data(),
                     .triangle = triangle.data(),
                     .shape_start = start.data(),
                     .shape_vertex = vertex.data(),
                     .shape_delta = delta.data(),
                     .joint_parent = parent.data(),
                     .joint_pivot = pivot.data(),
                     .joint_drive = drive.data(),
                     .skin_joint = joint.data(),
                     .skin_weight = weight.data(),
                     .gaussian_triangle = carrier.data(),
                     .gaussian_mean = mean.data(),
                     .gaussian_rotation = rotation.data(),
                     .gaussian_scale = scale.data(),
                     .weld = weld.size() ? weld.data() : nullptr};
  return std::make_shared<DecodePlan>(view, isa);
}

}  // namespace rtgraph::kernels
