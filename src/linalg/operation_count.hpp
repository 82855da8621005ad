// Standard operation counts of BLAS and LAPACK, for the profile. Included by .cpp files only.
#pragma once

#include <algorithm>

#include "core/profile.hpp"
#include "linalg/scalar.hpp"

namespace rankine::linalg {

/// `of_reals`: additions and products of real numbers; with complex ones each takes four.
template <Scalar T>
void count(double of_reals) {
  count_flops(is_complex<T> ? 4 * of_reals : of_reals);
}

/// Householder QR, R alone; as many more make Q.
inline double qr_flops(double m, double n) {
  const double k = std::min(m, n);
  return 2 * k * (m * n - (m + n) * k / 2 + k * k / 3);
}

/// Pivoted Cholesky factorisation that ends at a rank.
inline double cholesky_flops(double n, double rank) {
  return rank * (n * n - n * rank + rank * rank / 3);
}

/// Eigenvalues and vectors by tridiagonal form.
inline double eigen_flops(double n) { return 9 * n * n * n; }

/// Singular values and both sides' vectors, QR first (Golub and Van Loan's count).
inline double svd_flops(double m, double n) {
  const double k = std::min(m, n), longer = std::max(m, n);
  return k * k * (6 * longer + 20 * k);
}

}  // namespace rankine::linalg
