// Owns how Python names the precision of packed weights.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/linear/call.h"

namespace rtgraph::kernels {

inline Precision precision_from_name(const std::string& name) {
  if (name == "float32") return Precision::float32;
  if (name == "bfloat16") return Precision::bfloat16;
  if (name == "int8") return Precision::int8;
  throw std::invalid_argument("precision: expected float32, bfloat16 or int8, got '" + name + "'");
}

}  // namespace rtgraph::kernels
