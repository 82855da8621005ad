#include "weights/rows/broadcast_tensor.hpp"

#include <array>
#include <cstddef>
#include <span>

#include "core/contracts.hpp"
#include "parallel/agreement.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor broadcast_tensor(const parallel::Communicator& ranks, const Tensor& mine,
                        torch::ScalarType type, int root) {
  std::array<std::int64_t, 5> shape{};  // the number of axes, and their lengths
  if (ranks.rank() == root) {
    RANKINE_EXPECTS(mine.dim() <= 4 && mine.scalar_type() == type, "a tensor of the type");
    shape[0] = mine.dim();
    for (std::int64_t axis = 0; axis < mine.dim(); ++axis)
      shape[static_cast<std::size_t>(axis) + 1] = mine.size(axis);
  }
  ranks.broadcast(std::span<std::int64_t>(shape), root);
  const at::IntArrayRef lengths(shape.data() + 1, static_cast<std::size_t>(shape[0]));
  const Tensor all = parallel::agree_on_failure(ranks, [&] {
    return ranks.rank() == root ? mine.contiguous() : torch::empty(lengths, type);
  });
  ranks.broadcast(std::span<std::byte>(static_cast<std::byte*>(all.data_ptr()), all.nbytes()),
                  root);
  return all;
}

}  // namespace rankine::weights
