#include "weights/rows/factor_rows.hpp"

#include <algorithm>
#include <cmath>

#include "weights/rows/gather_rows.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr std::int64_t piece = 256;

/// Calls work(first, count) for consecutive pieces of the columns.
template <class Work>
void for_each_piece(std::int64_t columns, Work&& work) {
  for (std::int64_t first = 0; first < columns; first += piece)
    work(first, std::min(piece, columns - first));
}

Tensor columns_of_product(const parallel::Communicator& team, const FactorRows& factors,
                          std::int64_t first, std::int64_t count) {
  const Tensor right =
      gather_rows(team, factors.right.narrow(1, first, count), factors.right_split);
  return times_transposed(factors.left, right.t());
}

}  // namespace

Tensor multiply(const parallel::Communicator& team, const FactorRows& factors) {
  const torch::NoGradGuard no_gradients;
  const Tensor result =
      torch::empty({factors.left.size(0), factors.right.size(1)}, factors.left.options());
  for_each_piece(factors.right.size(1), [&](std::int64_t first, std::int64_t count) {
    result.narrow(1, first, count).copy_(columns_of_product(team, factors, first, count));
  });
  return result;
}

double relative_distance(const parallel::Communicator& team, const FactorRows& factors,
                         const FactorRows& exact) {
  const torch::NoGradGuard no_gradients;
  double difference = 0, norm = 0;
  for_each_piece(exact.right.size(1), [&](std::int64_t first, std::int64_t count) {
    const Tensor wanted = columns_of_product(team, exact, first, count);
    norm += wanted.square().sum().item<double>();
    difference +=
        (columns_of_product(team, factors, first, count) - wanted).square().sum().item<double>();
  });
  difference = team.sum(difference);
  norm = team.sum(norm);
  return norm > 0 ? std::sqrt(difference / norm) : 0;
}

}  // namespace rankine::weights
