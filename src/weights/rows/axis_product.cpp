#include "weights/rows/axis_product.hpp"

#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor along_axis(const Tensor& tensor, std::int64_t axis, const Tensor& matrix) {
  if (!matrix.defined()) return tensor;
  const Tensor last = tensor.movedim(axis, -1);
  std::vector<std::int64_t> shape = last.sizes().vec();
  shape.back() = matrix.size(0);
  return times_transposed(last.reshape({-1, matrix.size(1)}), matrix).view(shape).movedim(-1, axis);
}

}  // namespace rankine::weights
