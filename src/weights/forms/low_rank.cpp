#include "weights/forms/low_rank.hpp"

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

LowRank::LowRank(const parallel::Communicator& ranks, RowSplit rows, Tensor own_left,
                 RowSplit right_split, Tensor own_right)
    : Weight(ranks, std::move(rows)),
      right_split_(std::move(right_split)),
      left_(std::move(own_left)),
      right_(std::move(own_right)) {
  RANKINE_EXPECTS(left_.size(0) == own_count() && left_.size(1) == right_split_.total(),
                  "own rows of the left factor are given");
  RANKINE_EXPECTS(right_.size(0) == right_split_.count(team().rank()),
                  "own rows of the right factor are given");
}

Tensor LowRank::forward(const Tensor& x) const {
  // Each rank goes on with rows of L of its own.
  const Tensor middle =
      gather_columns(team(), times_transposed(x, right_), right_split_, Gradient::shares);
  return times_transposed(middle, left_);
}

Tensor LowRank::whole_right_transposed() const {
  return gather_columns(team(), right_.t(), right_split_, Gradient::shares);
}

Tensor LowRank::look_up(const Tensor& ids) const {
  return times_transposed(look_up_rows(left_, own_first(), ids), whole_right_transposed());
}

Tensor LowRank::convolve(const Tensor& images, const ConvolutionGeometry& geometry,
                         const Tensor& own_bias) const {
  // Outputs of several groups share no row of R.
  if (geometry.groups > 1) return Weight::convolve(images, geometry, own_bias);
  const Tensor middle = convolve_rows(images, whole_right_transposed().t(), geometry, {});
  return convolve_rows(middle, left_, {.kernel = {1, 1}}, own_bias);
}

Tensor LowRank::own_rows() const { return times_transposed(left_, whole_right_transposed()); }

std::vector<Parameter> LowRank::parameters() const {
  return {{"left", left_, Placement::rows, own_first(), outputs()},
          {"right", right_, Placement::rows, right_split_.first(team().rank()), kept_rank()}};
}

std::unique_ptr<Weight> make_low_rank(const parallel::Communicator& team, const RowSplit& split,
                                      const Tensor& own_left, const Tensor& own_right,
                                      torch::ScalarType type) {
  const auto copy = [&](const Tensor& part) {
    return part.detach().to(type).clone(at::MemoryFormat::Contiguous);
  };
  return std::make_unique<LowRank>(team, split, copy(own_left),
                                   RowSplit::even(own_left.size(1), team.size()), copy(own_right));
}

std::unique_ptr<Weight> read_low_rank(const parallel::Communicator& team, const DenseSource& source,
                                      const StoredTensors& tensors) {
  const auto left = tensors.shape("left"), right = tensors.shape("right");
  tensors.require("left", left.size() == 2 && left[0] == source.split.total(), "its rows");
  tensors.require("right", right.size() == 2 && right[0] == left[1] && right[1] == source.inputs,
                  "its shape");
  RowSplit right_split = RowSplit::even(right[0], team.size());
  const Tensor own_right = tensors.own("right", right_split);
  return std::make_unique<LowRank>(team, source.split, tensors.own("left", source.split),
                                   std::move(right_split), own_right);
}

}  // namespace rankine::weights
