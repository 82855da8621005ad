// Random matrices with entries of unit variance, the same for the same seed.
#pragma once

#include <random>

#include "linalg/matrix.hpp"

namespace rankine::testing {

template <linalg::Scalar T>
T random_scalar(std::mt19937& generator) {
  std::normal_distribution<linalg::Real<T>> normal;
  if constexpr (linalg::is_complex<T>)
    return {normal(generator), normal(generator)};
  else
    return normal(generator);
}

template <linalg::Scalar T>
linalg::Matrix<T> random_matrix(std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 generator(seed);
  linalg::Matrix<T> matrix(rows, columns);
  for (T& value : matrix.span()) value = random_scalar<T>(generator);
  return matrix;
}

/// The largest difference of two matrices of the same shape.
template <linalg::Scalar T>
double distance(const linalg::Matrix<T>& a, const linalg::Matrix<T>& b) {
  double largest = a.rows() == b.rows() && a.columns() == b.columns() ? 0 : 1e300;
  for (std::int64_t k = 0; k < std::min(a.size(), b.size()); ++k)
    largest = std::max<double>(largest, std::abs(a.data()[k] - b.data()[k]));
  return largest;
}

}  // namespace rankine::testing
