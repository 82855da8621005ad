// Unitary matrices to make circuits of: random ones, and those that are nearly the identity.
#pragma once

#include <cmath>
#include <random>

#include "circuit/square_matrix.hpp"

namespace rankine::circuit {

enum class Entries { real, complex };

inline SquareMatrix random_entries(int size, Entries entries, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  SquareMatrix matrix(size);
  for (Complex& element : matrix.elements())
    element = {normal(generator), entries == Entries::complex ? normal(generator) : 0.0};
  return matrix;
}

/// Gram-Schmidt, twice: distributed by Haar for normal entries; a real matrix gets determinant 1.
inline SquareMatrix orthonormal(SquareMatrix matrix) {
  const int n = matrix.size();
  for (int p = 0; p < n; ++p) {
    for (int q = 0; q < 2 * p; ++q) {
      Complex part = 0;
      for (int row = 0; row < n; ++row) part += std::conj(matrix(row, q % p)) * matrix(row, p);
      for (int row = 0; row < n; ++row) matrix(row, p) -= part * matrix(row, q % p);
    }
    double square = 0;
    for (int row = 0; row < n; ++row) square += std::norm(matrix(row, p));
    for (int row = 0; row < n; ++row) matrix(row, p) /= std::sqrt(square);
  }
  const Complex sign = determinant(matrix);
  if (std::abs(sign + 1.0) < 1e-9)
    for (int row = 0; row < n; ++row) matrix(row, 0) = -matrix(row, 0);
  return matrix;
}

inline SquareMatrix random_unitary(int size, Entries entries, unsigned seed) {
  return orthonormal(random_entries(size, entries, seed));
}

/// I + scale * noise, made orthogonal.
inline SquareMatrix near_identity(int size, Entries entries, double scale, unsigned seed) {
  SquareMatrix matrix = random_entries(size, entries, seed);
  matrix *= scale;
  for (int k = 0; k < size; ++k) matrix(k, k) += 1;
  return orthonormal(matrix);
}

}  // namespace rankine::circuit
