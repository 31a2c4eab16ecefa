// Owns WeightMap: a network's tensors by their names, from which the fused steps pack what they need.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace rtgraph::kernels {

// Borrows the arrays: they must live until the step that packs them is built.
class WeightMap {
 public:
  using Shape = std::vector<std::int64_t>;

  void add(std::string name, const float* data, Shape shape);

  // The tensor's row-major values. Throws std::invalid_argument where it is missing or shaped otherwise.
  const float* get(const std::string& name, const Shape& expected) const;

  // Matrices [rows_i, inputs] of equal inputs, one below the other: [sum of rows, inputs].
  std::vector<float> stack(const std::vector<std::string>& names, const std::vector<std::int64_t>& rows,
                           std::int64_t inputs) const;

  // Matrices [rows, inputs_i] of equal rows, side by side: [rows, sum of inputs].
  std::vector<float> join(const std::vector<std::string>& names, std::int64_t rows,
                          const std::vector<std::int64_t>& inputs) const;

 private:
  struct Tensor {
    const float* data;
    Shape shape;
  };
  std::unordered_map<std::string, Tensor> tensors_;
};

}  // namespace rtgraph::kernels
