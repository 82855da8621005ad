#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor look_up_rows(const Tensor& own_rows, std::int64_t first, const Tensor& ids) {
  const std::int64_t count = own_rows.size(0);
  // The empty sum keeps the result in the graph: the backward pass must be alike on all ranks.
  if (count == 0)
    return torch::zeros({ids.size(0), own_rows.size(1)}, own_rows.options()) + own_rows.sum();
  const Tensor local = ids - first;
  const Tensor owned = local.ge(0).logical_and(local.lt(count));
  return own_rows.index_select(0, local.clamp(0, count - 1)) *
         owned.to(own_rows.scalar_type()).unsqueeze(1);
}

}  // namespace rankine::weights
