#include "bench_model_forms.hpp"

#include <algorithm>
#include <cmath>

#include "weights/forms/clustered.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/factor_cost.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/forms/pivoted.hpp"

namespace rankine::bench {

using torch::Tensor;
using weights::FactorGauge;
using weights::MatrixShape;
using weights::RowSplit;

namespace {

Tensor numbers(std::int64_t rows, std::int64_t columns) {
  return torch::randn({rows, columns}) / std::sqrt(static_cast<double>(columns + 1));
}

/// The place of a weight, whose numbers are new.
struct Place {
  const parallel::Communicator& team;
  const RowSplit& split;
  MatrixShape shape;
  std::int64_t budget;

  std::int64_t own() const { return split.count(team.rank()); }
  std::int64_t rank(FactorGauge gauge) const {
    return std::max<std::int64_t>(1, weights::largest_rank(gauge, shape, budget));
  }
};

std::shared_ptr<weights::Weight> low_rank(const Place& place) {
  const std::int64_t rank = place.rank(FactorGauge::free);
  const RowSplit right = RowSplit::even(rank, place.team.size());
  return std::make_shared<weights::LowRank>(
      place.team, place.split, numbers(place.own(), rank), right,
      numbers(right.count(place.team.rank()), place.shape.columns));
}

std::shared_ptr<weights::Weight> pivoted(const Place& place) {
  const std::int64_t rank = place.rank(FactorGauge::pivoted);
  std::vector<std::int64_t> pivots;
  for (std::int64_t p = 0; p < rank; ++p) pivots.push_back(p * place.shape.rows / rank);
  const std::int64_t own = weights::split_of_pivots(place.split, pivots).count(place.team.rank());
  return std::make_shared<weights::Pivoted>(place.team, place.split, pivots,
                                            numbers(own, place.shape.columns),
                                            numbers(place.own() - own, rank));
}

std::shared_ptr<weights::Weight> matrix_product(const Place& place) {
  const std::int64_t bond =
      std::max<std::int64_t>(1, weights::largest_matrix_product(place.shape, 2, place.budget));
  const auto rows = weights::balanced_legs(place.shape.rows, 2);
  const auto columns = weights::balanced_legs(place.shape.columns, 2);
  std::vector<Tensor> cores{0.1 * torch::randn({1, rows[0], columns[0], bond}),
                            0.1 * torch::randn({bond, rows[1], columns[1], 1})};
  return std::make_shared<weights::MatrixProduct>(place.team, place.split, std::move(cores));
}

std::shared_ptr<weights::Weight> clustered(const Place& place) {
  const Tensor none = torch::empty({0}, torch::kInt64);
  return std::make_shared<weights::Clustered>(
      place.team, place.split, torch::linspace(-0.05, 0.05, 16),
      torch::randint(16, {place.own(), place.shape.columns}, torch::kInt64),
      weights::Outliers{none, none, torch::empty({0})});
}

}  // namespace

std::shared_ptr<weights::Weight> arbitrary_weight(const weights::Weight& dense,
                                                  const std::string& form, double ratio) {
  const MatrixShape shape{dense.outputs(), dense.inputs()};
  const Place place{dense.team(), dense.split(), shape,
                    static_cast<std::int64_t>(ratio * static_cast<double>(shape.dense_numbers()))};
  if (form == "low-rank") return low_rank(place);
  if (form == "pivoted") return pivoted(place);
  if (form == "mpo") return matrix_product(place);
  if (form == "clustered") return clustered(place);
  auto weight = std::make_shared<weights::Dense>(place.team, place.split,
                                                 numbers(place.own(), shape.columns));
  if (form == "4-bit") weight->round_to(weights::Storage::four_bits);
  return weight;
}

}  // namespace rankine::bench
