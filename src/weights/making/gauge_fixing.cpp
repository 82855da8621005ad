#include "weights/making/gauge_fixing.hpp"

#include <algorithm>
#include <optional>

#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/interpolation.hpp"
#include "weights/forms/column_pivoted.hpp"
#include "weights/forms/pivoted.hpp"
#include "weights/rows/factor_rows.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::weights {

using linalg::DistMatrix;
using linalg::ProcessGrid;
using parallel::Communicator;
using torch::Tensor;

namespace {

/// Pivots and coefficients of one side: of a matrix of r rows, or of the transposed left factor.
struct Gauge {
  linalg::ColumnInterpolation<double> found;
  double largest_coefficient;

  std::int64_t kept_rank() const { return found.rank(); }
  std::vector<std::int64_t> pivots() const { return sorted(0, kept_rank()); }
  std::vector<std::int64_t> others() const { return sorted(kept_rank(), std::ssize(found.order)); }
  /// Where pivot k of the order chosen stands among the ascending ones.
  std::vector<std::int64_t> places_of_pivots() const { return places(0, pivots()); }
  std::vector<std::int64_t> places_of_others() const { return places(kept_rank(), others()); }

 private:
  std::vector<std::int64_t> sorted(std::int64_t begin, std::int64_t end) const {
    std::vector<std::int64_t> part(found.order.begin() + begin, found.order.begin() + end);
    std::ranges::sort(part);
    return part;
  }
  std::vector<std::int64_t> places(std::int64_t begin,
                                   const std::vector<std::int64_t>& ascending) const {
    std::vector<std::int64_t> all;
    for (std::size_t k = 0; k < ascending.size(); ++k)
      all.push_back(
          std::ranges::lower_bound(ascending, found.order[static_cast<std::size_t>(begin) + k]) -
          ascending.begin());
    return all;
  }
};

DistMatrix<double> matrix_on(const ProcessGrid& grid, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t block = 32;
  return {grid,
          linalg::Distribution::block_cyclic(rows, columns, block, grid.rows(), grid.columns())};
}

DistMatrix<double> transposed(const DistMatrix<double>& matrix) {
  DistMatrix<double> result = matrix_on(matrix.grid(), matrix.columns(), matrix.rows());
  linalg::copy<double>(linalg::Op::transpose, matrix.view(), result.view());
  return result;
}

Gauge gauge_of(DistMatrix<double> wide) {
  const std::int64_t most = wide.rows();
  Gauge gauge{linalg::interpolative_columns(std::move(wide), most), 0};
  gauge.largest_coefficient =
      linalg::largest_magnitude(std::as_const(gauge.found.coefficients).view());
  return gauge;
}

/// Columns that stand in the order chosen, in ascending order.
Tensor sort_columns(const Tensor& matrix, const std::vector<std::int64_t>& places) {
  return matrix.index_select(1, torch::argsort(torch::tensor(places, torch::kInt64)));
}

/// The factors in float64, in row blocks.
class GaugeFixing {
 public:
  GaugeFixing(const Communicator& team, const RowSplit& split, const Tensor& own_left,
              const Tensor& own_right, std::int64_t largest_on_one_rank)
      : team_(team),
        split_(split),
        shape_(grid_shape(team, own_left.size(1) * std::max(split.total(), own_right.size(1)),
                          largest_on_one_rank)),
        grid_(team, shape_.rows, shape_.columns),
        factors_{own_left.to(torch::kFloat64).contiguous(),
                 own_right.to(torch::kFloat64).contiguous(),
                 RowSplit::even(own_left.size(1), team.size())} {}

  std::unique_ptr<Weight> run(PivotSide side, torch::ScalarType type, PivotReport& report) const {
    std::optional<Gauge> by_rows, by_columns;
    if (side != PivotSide::columns)
      by_rows.emplace(gauge_of(transposed(spread(factors_.left, split_))));
    if (side != PivotSide::rows)
      by_columns.emplace(gauge_of(spread(factors_.right, factors_.right_split)));
    if (!by_rows || (by_columns && is_better(*by_columns, *by_rows)))
      return fix_columns(*by_columns, type, report);
    return fix_rows(*by_rows, type, report);
  }

 private:
  static linalg::GridShape grid_shape(const Communicator& team, std::int64_t numbers,
                                      std::int64_t largest_on_one_rank) {
    return numbers <= largest_on_one_rank ? linalg::GridShape{1, 1} : linalg::squarest(team.size());
  }

  DistMatrix<double> spread(const Tensor& own, const RowSplit& rows) const {
    DistMatrix<double> matrix = matrix_on(grid_, rows.total(), own.size(1));
    spread_rows(own, range_of(rows, team_.rank()), matrix);
    return matrix;
  }

  /// By more than rounding, so that any number of ranks takes the same side.
  static bool is_better(const Gauge& a, const Gauge& b) {
    if (a.kept_rank() != b.kept_rank()) return a.kept_rank() < b.kept_rank();
    return a.largest_coefficient < (1 - 1e-6) * b.largest_coefficient;
  }

  std::unique_ptr<Weight> fix_rows(const Gauge& gauge, torch::ScalarType type,
                                   PivotReport& report) const {
    const std::vector<std::int64_t> pivots = gauge.pivots(), others = gauge.others();
    std::vector<std::int64_t> own_pivots;
    const RowRange own = range_of(split_, team_.rank());
    for (const std::int64_t row : pivots)
      if (row >= own.first && row < own.end()) own_pivots.push_back(row - own.first);
    const Tensor basis =
        multiply(team_, {factors_.left.index_select(0, torch::tensor(own_pivots, torch::kInt64)),
                         factors_.right, factors_.right_split});
    const DistMatrix<double> by_rows = transposed(gauge.found.coefficients);
    const RowSplit rest = split_of_pivots(split_, others);
    const Tensor coefficients = sort_columns(
        collect_rows(by_rows.view(), range_of(rest, team_.rank()), gauge.places_of_others()),
        gauge.places_of_pivots());
    const Pivoted exact(team_, split_, pivots, basis, coefficients);
    report = {PivotSide::rows, gauge.largest_coefficient,
              relative_distance(team_, exact.factors(), factors_)};
    return std::make_unique<Pivoted>(team_, split_, pivots, basis.to(type), coefficients.to(type));
  }

  std::unique_ptr<Weight> fix_columns(const Gauge& gauge, torch::ScalarType type,
                                      PivotReport& report) const {
    const std::vector<std::int64_t> pivots = gauge.pivots();
    const Tensor chosen = torch::tensor(pivots, torch::kInt64);
    const Tensor columns = multiply(
        team_, {factors_.left, factors_.right.index_select(1, chosen), factors_.right_split});
    const RowSplit middle = RowSplit::even(gauge.kept_rank(), team_.size());
    const Tensor coefficients =
        sort_columns(collect_rows(gauge.found.coefficients.view(), range_of(middle, team_.rank()),
                                  gauge.places_of_pivots()),
                     gauge.places_of_others());
    const ColumnPivoted exact(team_, split_, pivots, columns, coefficients);
    report = {PivotSide::columns, gauge.largest_coefficient,
              relative_distance(team_, exact.factors(), factors_)};
    return std::make_unique<ColumnPivoted>(team_, split_, pivots, columns.to(type),
                                           coefficients.to(type));
  }

  const Communicator& team_;
  const RowSplit& split_;
  linalg::GridShape shape_;
  ProcessGrid grid_;
  FactorRows factors_;
};

}  // namespace

std::unique_ptr<Weight> make_pivoted(const Communicator& team, const RowSplit& split,
                                     const Tensor& own_left, const Tensor& own_right,
                                     torch::ScalarType type, const PivotOptions& options,
                                     PivotReport* report) {
  const torch::NoGradGuard no_gradients;
  PivotReport found;
  auto weight = GaugeFixing(team, split, own_left, own_right, options.largest_on_one_rank)
                    .run(options.side, type, found);
  if (report) *report = found;
  return weight;
}

}  // namespace rankine::weights
