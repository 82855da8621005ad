// Distributed matrices with known content, and measures of how good factors of them are.
#pragma once

#include <gtest/gtest.h>

#include <limits>

#include "linalg/blas.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/factorisations.hpp"
#include "mpi_world.hpp"
#include "random_matrix.hpp"

namespace rankine::testing {

using namespace linalg;
using Scalars = ::testing::Types<RANKINE_TEST_SCALARS>;

template <Scalar T>
inline constexpr double eps = std::numeric_limits<Real<T>>::epsilon();

template <Scalar T>
DistMatrix<T> spread(const Matrix<T>& whole, const ProcessGrid& grid, Distribution distribution) {
  DistMatrix<T> out(grid, distribution);
  out.fill_from([&](std::int64_t i, std::int64_t j) { return whole(i, j); });
  return out;
}

/// The largest element of op(Q) Q - 1 for Q with orthonormal columns.
template <Scalar T>
double departure_from_orthonormality(const Matrix<T>& q) {
  const std::int64_t n = q.columns();
  if (n == 0) return 0;
  Matrix<T> product(n, n);
  gemm<T>(Op::adjoint, Op::none, T(1), q.view(), q.view(), T(0), product.view());
  for (std::int64_t k = 0; k < n; ++k) product(k, k) -= T(1);
  double largest = 0;
  for (T value : product.span()) largest = std::max<double>(largest, std::abs(value));
  return largest;
}

/// m x n with the given singular values between random orthonormal columns. The product is rounded
/// once, to T: BLAS would add the rounding of its sums, of which small singular values see a lot.
template <Scalar T>
Matrix<T> with_spectrum(std::int64_t m, std::int64_t n, const std::vector<double>& s,
                        unsigned seed) {
  using Wide = std::conditional_t<is_complex<T>, std::complex<double>, double>;
  const auto k = std::ssize(s);
  auto u = random_matrix<Wide>(m, k, seed), v = random_matrix<Wide>(n, k, seed + 1);
  qr_in_place(u);
  qr_in_place(v);
  using Widest = std::conditional_t<is_complex<T>, std::complex<long double>, long double>;
  const auto conjugate = [](Widest value) {
    if constexpr (is_complex<T>)
      return std::conj(value);
    else
      return value;
  };
  Matrix<T> out(m, n);
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < m; ++i) {
      Widest sum = 0;
      for (std::int64_t l = 0; l < k; ++l)
        sum += Widest(u(i, l)) * static_cast<long double>(s[static_cast<std::size_t>(l)]) *
               conjugate(Widest(v(j, l)));
      out(i, j) = static_cast<T>(sum);
    }
  return out;
}

/// Layouts any routine must take: row blocks, and cyclic blocks on the most square grid.
struct Layouts {
  ProcessGrid rows{world(), world().size(), 1};
  ProcessGrid square{world(), squarest(world().size()).rows, squarest(world().size()).columns};

  Distribution row_blocks(std::int64_t m, std::int64_t n) const {
    return Distribution::row_blocks(m, n, rows.rows());
  }
  Distribution cyclic(std::int64_t m, std::int64_t n, std::int64_t block) const {
    return Distribution::block_cyclic(m, n, block, square.rows(), square.columns());
  }
};

}  // namespace rankine::testing
