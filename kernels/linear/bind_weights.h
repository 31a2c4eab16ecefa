// Owns how a Python dict of float32 arrays becomes a WeightMap.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "kernels/linear/weight_map.h"

namespace rtgraph::kernels {

// The arrays must be float32 and contiguous, and outlive the map. Throws pybind11::type_error by name.
inline WeightMap weight_map(const pybind11::dict& tensors) {
  using Array = pybind11::array_t<float, pybind11::array::c_style>;
  WeightMap map;
  for (const auto& [key, value] : tensors) {
    const auto name = key.cast<std::string>();
    if (!Array::check_(value))
      throw pybind11::type_error("weights: '" + name + "': expected a contiguous float32 array, got " +
                                 pybind11::repr(pybind11::type::handle_of(value)).cast<std::string>() +
                                 "; convert it with np.ascontiguousarray(x, np.float32)");
    const auto array = pybind11::reinterpret_borrow<Array>(value);
    map.add(name, array.data(), WeightMap::Shape(array.shape(), array.shape() + array.ndim()));
  }
  return map;
}

}  // namespace rtgraph::kernels
