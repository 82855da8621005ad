#include "compress/decomposition/spread_moment.hpp"

#include <algorithm>
#include <functional>

#include "linalg/distributed/dist_blas.hpp"

namespace rankine::compress {

using linalg::DistMatrix;
using linalg::Op;
using linalg::ProcessGrid;

DistMatrix<double> spread(const SecondMoment& moment, const ProcessGrid& grid, std::int64_t block) {
  const std::int64_t n = moment.size();
  DistMatrix<double> lower = matrix_on<double>(grid, n, n, block);
  moment.spread(lower);
  lower.view().for_each_local([](std::int64_t i, std::int64_t j, double& value) {
    if (i < j) value = 0;
  });
  DistMatrix<double> upper = matrix_on<double>(grid, n, n, block);
  linalg::copy<double>(Op::transpose, std::as_const(lower).view(), upper.view());
  upper.view().for_each_local([](std::int64_t i, std::int64_t j, double& value) {
    if (i >= j) value = 0;
  });
  std::ranges::transform(lower.local().span(), upper.local().span(), lower.local().span().begin(),
                         std::plus<>());
  return lower;
}

void add_to_diagonal(DistMatrix<double>& matrix, double added) {
  matrix.view().for_each_local([&](std::int64_t i, std::int64_t j, double& value) {
    if (i == j) value += added;
  });
}

}  // namespace rankine::compress
