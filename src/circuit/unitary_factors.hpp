// Factors of small unitary matrices by Jacobi rotations, which keep their accuracy where
// eigenvalues or angles coincide, as those of circuits do. What is real stays real.
#pragma once

#include <array>
#include <vector>

#include "circuit/square_matrix.hpp"

namespace rankine::circuit {

/// M = V diag(values) V^H.
struct Eigenbasis {
  SquareMatrix vectors;
  std::vector<Complex> values;
};
/// The eigenvectors of a symmetric unitary matrix can be real.
enum class Symmetry { none, symmetric };
/// Of a unitary matrix; V is real for one that is symmetric. NumericalError when it is not normal.
Eigenbasis diagonalise(const SquareMatrix& unitary, Symmetry symmetry = Symmetry::none);

/// U = (left[0] + left[1]) [C -S; S C] (right[0] + right[1]), direct sums of unitary halves, with
/// C = diag(cos(angles)) and S = diag(sin(angles)), angles in [0, pi/2].
struct CosineSine {
  std::array<SquareMatrix, 2> left;
  std::array<SquareMatrix, 2> right;
  std::vector<double> angles;
};
/// Of a unitary matrix of even size.
CosineSine cosine_sine(const SquareMatrix& unitary);

}  // namespace rankine::circuit
