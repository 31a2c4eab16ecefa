// Owns the look-up of tensors and its error messages.
#include "kernels/linear/weight_map.h"

#include <algorithm>
#include <stdexcept>

namespace rtgraph::kernels {

namespace {

std::string text(const WeightMap::Shape& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace

void WeightMap::add(std::string name, const float* data, Shape shape) {
  tensors_[std::move(name)] = Tensor{data, std::move(shape)};
}

const float* WeightMap::get(const std::string& name, const Shape& expected) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw std::invalid_argument("weights: '" + name + "' is missing, expected " + text(expected) +
                                "; the file belongs to another network or another version of it");
  if (found->second.shape != expected)
    throw std::invalid_argument("weights: '" + name + "': expected " + text(expected) + " by the config, got " +
                                text(found->second.shape) + "; use the config of the weights' own card");
  return found->second.data;
}

std::vector<float> WeightMap::stack(const std::vector<std::string>& names, const std::vector<std::int64_t>& rows,
                                    std::int64_t inputs) const {
  std::vector<float> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const float* data = get(names[i], {rows[i], inputs});
    out.insert(out.end(), data, data + rows[i] * inputs);
  }
  return out;
}

std::vector<float> WeightMap::join(const std::vector<std::string>& names, std::int64_t rows,
                                   const std::vector<std::int64_t>& inputs) const {
  std::vector<const float*> parts;
  for (std::size_t i = 0; i < names.size(); ++i) parts.push_back(get(names[i], {rows, inputs[i]}));
  std::vector<float> out;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < parts.size(); ++i)
      out.insert(out.end(), parts[i] + row * inputs[i], parts[i] + (row + 1) * inputs[i]);
  return out;
}

}  // namespace rtgraph::kernels
