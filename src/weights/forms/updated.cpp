#include "weights/forms/updated.hpp"

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

Updated::Updated(std::shared_ptr<Weight> under, Tensor own_left, Tensor right)
    : Weight(under->team(), under->split()),
      base_(std::move(under)),
      left_(std::move(own_left)),
      right_(std::move(right)) {
  RANKINE_EXPECTS(
      left_.size(0) == own_count() && left_.size(1) == right_.size(0) && right_.size(1) == inputs(),
      "the factors fit the base");
}

Tensor Updated::forward(const Tensor& x) const {
  const Tensor middle = times_transposed(x, share_input(team(), right_));
  return base_->forward(x) + times_transposed(middle, left_);
}

Tensor Updated::look_up(const Tensor& ids) const {
  const Tensor rows = look_up_rows(left_, own_first(), ids);
  return base_->look_up(ids) + times_transposed(rows, share_input(team(), right_).t());
}

Tensor Updated::own_rows() const {
  return base_->own_rows() + times_transposed(left_, share_input(team(), right_).t());
}

std::vector<Parameter> Updated::parameters() const {
  return {{"update.left", left_, Placement::rows, own_first(), outputs()},
          {"update.right", right_, Placement::copy, 0, right_.size(0)}};
}

std::unique_ptr<Weight> read_updated(std::shared_ptr<Weight> base, const DenseSource& source,
                                     const StoredTensors& tensors) {
  const auto left = tensors.shape("update.left"), right = tensors.shape("update.right");
  tensors.require("update.left", left.size() == 2 && left[0] == base->outputs(), "its rows");
  tensors.require("update.right",
                  right.size() == 2 && right[0] == left[1] && right[1] == base->inputs(),
                  "its shape");
  const Tensor own_left = tensors.own("update.left", source.split);
  return std::make_unique<Updated>(std::move(base), own_left, tensors.all("update.right"));
}

}  // namespace rankine::weights
