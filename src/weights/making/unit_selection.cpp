#include "weights/making/unit_selection.hpp"

#include <algorithm>
#include <cmath>

#include "core/contracts.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Units that leave together: they are few against those that stay, so that they hardly change what
/// the loss of each other costs, and the rest is matrix products.
std::int64_t block_of(std::int64_t units) { return std::max<std::int64_t>(1, units / 256); }

/// The columns that stay, and what is known of them.
struct Remaining {
  Tensor numbers;   ///< in W
  Tensor w;         ///< with the making up
  Tensor weighted;  ///< R^T w
  Tensor inverse;   ///< of the second moment of these units

  /// The squared error that each unit adds if it leaves alone.
  Tensor costs() const { return weighted.square().sum(0) / inverse.diagonal(); }

  /// What is left of a matrix whose columns are units when those at `leaving` are made up for.
  Tensor without(const Tensor& matrix, const Tensor& leaving, const Tensor& staying,
                 const Tensor& made_up) const {
    return matrix.index_select(1, staying) - times(matrix.index_select(1, leaving), made_up);
  }

  void drop(const Tensor& leaving, const Tensor& staying) {
    const Tensor rows = inverse.index_select(0, leaving);
    const Tensor made_up = at::cholesky_solve(
        rows.index_select(1, staying), torch::linalg_cholesky(rows.index_select(1, leaving)));
    w = without(w, leaving, staying, made_up);
    weighted = without(weighted, leaving, staying, made_up);
    inverse = without(inverse.index_select(0, staying), leaving, staying, made_up);
    numbers = numbers.index_select(0, staying);
  }
};

std::vector<std::int64_t> list_of(const Tensor& numbers) {
  const Tensor whole = numbers.contiguous();
  const std::int64_t* begin = whole.data_ptr<std::int64_t>();
  return {begin, begin + whole.numel()};
}

Tensor sorted(const Tensor& numbers) { return std::get<0>(numbers.sort()); }

}  // namespace

SelectedUnits select_units(const Tensor& w, const MomentNorm& norm, std::int64_t count) {
  const std::int64_t units = w.size(1);
  RANKINE_EXPECTS(norm.inputs.defined() && count >= 0 && count <= units,
                  "the moment of the units is given");
  const Tensor root = norm.outputs.defined() ? torch::linalg_cholesky(norm.outputs) : Tensor();
  Remaining remaining{.numbers = torch::arange(units, torch::kInt64),
                      .w = w,
                      .weighted = root.defined() ? times(root.t(), w) : w,
                      .inverse = at::cholesky_inverse(torch::linalg_cholesky(norm.inputs))};
  double error = 0;
  const double whole = norm.squared(w);
  for (std::int64_t left = units; left > count;) {
    const std::int64_t gone = std::min(block_of(units), left - count);
    const Tensor order = remaining.costs().argsort(/*stable=*/true);
    remaining.drop(sorted(order.narrow(0, 0, gone)), sorted(order.narrow(0, gone, left - gone)));
    left -= gone;
  }
  const Tensor difference =
      w.index_copy(1, remaining.numbers, w.index_select(1, remaining.numbers) - remaining.w);
  error = whole > 0 ? std::sqrt(norm.squared(difference) / whole) : 0;
  return {list_of(remaining.numbers), remaining.w, error};
}

}  // namespace rankine::weights
