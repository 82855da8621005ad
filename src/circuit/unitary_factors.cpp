#include "circuit/unitary_factors.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/errors.hpp"

namespace rankine::circuit {

namespace {

constexpr int most_sweeps = 100;     // 6 to 12 are usual
constexpr double converged = 3e-15;  // of elements of a unitary matrix, of cosines between columns
constexpr double vanishing = 1e-14;  // a column this short has no direction

/// Columns p and q become [p q] [c -conj(s); s c].
struct PlaneRotation {
  double c = 1;
  Complex s = 0;

  void turn_columns(SquareMatrix& m, int p, int q) const {
    for (int row = 0; row < m.size(); ++row) {
      const Complex a = m(row, p), b = m(row, q);
      m(row, p) = c * a + s * b;
      m(row, q) = c * b - std::conj(s) * a;
    }
  }
  void turn_rows_back(SquareMatrix& m, int p, int q) const {
    for (int column = 0; column < m.size(); ++column) {
      const Complex a = m(p, column), b = m(q, column);
      m(p, column) = c * a + std::conj(s) * b;
      m(q, column) = c * b - s * a;
    }
  }
};

/// The rotation that makes the elements (p, q) and (q, p) of a normal matrix as small as one can:
/// of Cardoso and Souloumiac, with the Hermitian and the skew-Hermitian part as the two matrices.
PlaneRotation joint_rotation(const SquareMatrix& m, int p, int q, Symmetry symmetry) {
  Complex h[3] = {m(p, p) - m(q, q), m(p, q) + m(q, p), Complex(0, 1) * (m(q, p) - m(p, q))};
  if (symmetry == Symmetry::symmetric) h[2] = 0;  // rounding
  double aa = 0, ab = 0, bb = 0;
  for (const Complex& x : h)
    aa += x.real() * x.real(), ab += x.real() * x.imag(), bb += x.imag() * x.imag();
  const double angle = std::atan2(2 * ab, aa - bb) / 2;
  double v[3], square = 0;
  for (int k = 0; k < 3; ++k) {
    v[k] = std::cos(angle) * h[k].real() + std::sin(angle) * h[k].imag();
    square += v[k] * v[k];
  }
  const double scale = std::copysign(1 / std::sqrt(square), v[0]);
  PlaneRotation rotation;
  rotation.c = std::sqrt((1 + v[0] * scale) / 2);
  rotation.s = Complex(v[1], -v[2]) * scale / (2 * rotation.c);
  return rotation;
}

/// V^H M V -> `m`, V -> `vectors`, with what lies beside the diagonal rotated away.
void rotate_to_diagonal(SquareMatrix& m, SquareMatrix& vectors, Symmetry symmetry) {
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    bool rotated = false;
    for (int p = 0; p < m.size(); ++p)
      for (int q = p + 1; q < m.size(); ++q) {
        if (std::max(std::abs(m(p, q)), std::abs(m(q, p))) < converged) continue;
        const PlaneRotation rotation = joint_rotation(m, p, q, symmetry);
        rotation.turn_columns(m, p, q);
        rotation.turn_rows_back(m, p, q);
        rotation.turn_columns(vectors, p, q);
        rotated = true;
      }
    if (!rotated) return;
  }
}

double largest_beside_diagonal(const SquareMatrix& m) {
  double largest = 0;
  for (int row = 0; row < m.size(); ++row)
    for (int column = 0; column < m.size(); ++column)
      if (row != column) largest = std::max(largest, std::abs(m(row, column)));
  return largest;
}

/// The Hermitian part of M exp(-i): its eigenvectors are those of M, but where two eigenvalues of M
/// lie symmetrically to the direction of exp(i), which is no direction a circuit prefers.
SquareMatrix hermitian_part(const SquareMatrix& m) {
  const Complex phase = std::polar(1.0, -1.0);
  SquareMatrix part(m.size());
  for (int row = 0; row < m.size(); ++row)
    for (int column = 0; column < m.size(); ++column)
      part(row, column) = 0.5 * (phase * m(row, column) + std::conj(phase * m(column, row)));
  return part;
}

}  // namespace

Eigenbasis diagonalise(const SquareMatrix& unitary, Symmetry symmetry) {
  // Rotations of a normal matrix can come to rest too early; those of a Hermitian one do not, and
  // leave little to do.
  SquareMatrix part = hermitian_part(unitary), vectors = SquareMatrix::identity(unitary.size());
  rotate_to_diagonal(part, vectors, symmetry);
  SquareMatrix rest = adjoint(vectors) * unitary * vectors;
  rotate_to_diagonal(rest, vectors, symmetry);
  if (!(largest_beside_diagonal(rest) < 1e-12))
    throw NumericalError(
        "the eigenvectors of a matrix of a circuit are not orthogonal: it is not "
        "unitary.");
  std::vector<Complex> values(static_cast<std::size_t>(rest.size()));
  for (int k = 0; k < rest.size(); ++k) values[k] = rest(k, k) / std::abs(rest(k, k));
  return {std::move(vectors), std::move(values)};
}

namespace {

Complex column_product(const SquareMatrix& a, int p, const SquareMatrix& b, int q) {
  Complex sum = 0;
  for (int row = 0; row < a.size(); ++row) sum += std::conj(a(row, p)) * b(row, q);
  return sum;
}

double column_norm(const SquareMatrix& a, int p) {
  return std::sqrt(column_product(a, p, a, p).real());
}

/// Makes the named columns of `a` orthogonal by rotations among them (Hestenes), to the accuracy of
/// each column's own length; turns the columns of `along` in the same way.
void orthogonalise_columns(SquareMatrix& a, const std::vector<int>& columns,
                           std::initializer_list<SquareMatrix*> along) {
  bool rotated = true;
  for (int sweep = 0; rotated && sweep < most_sweeps; ++sweep) {
    rotated = false;
    for (auto first = columns.begin(); first != columns.end(); ++first)
      for (auto second = first + 1; second != columns.end(); ++second) {
        const int p = *first, q = *second;
        const double norm_p = column_norm(a, p), norm_q = column_norm(a, q);
        const Complex product = column_product(a, p, a, q);
        const double size = std::abs(product);
        if (std::min(norm_p, norm_q) < vanishing || size < converged * norm_p * norm_q) continue;
        const double ratio = (norm_q - norm_p) * (norm_q + norm_p) / (2 * size);
        const double tangent = std::copysign(1 / (std::abs(ratio) + std::hypot(1, ratio)), ratio);
        const double cosine = 1 / std::hypot(1, tangent);
        const PlaneRotation rotation{cosine, -cosine * tangent * std::conj(product) / size};
        rotation.turn_columns(a, p, q);
        for (SquareMatrix* other : along) rotation.turn_columns(*other, p, q);
        rotated = true;
      }
  }
}

/// Takes from column p of `a` what it has of the named columns of `basis`, which are orthonormal.
void project_out(SquareMatrix& a, int p, const SquareMatrix& basis,
                 const std::vector<int>& columns) {
  for (int repeated = 0; repeated < 2; ++repeated)
    for (int q : columns) {
      const Complex share = column_product(basis, q, a, p);
      for (int row = 0; row < a.size(); ++row) a(row, p) -= share * basis(row, q);
    }
}

void normalise_column(SquareMatrix& a, int p) {
  const double norm = column_norm(a, p);
  for (int row = 0; row < a.size(); ++row) a(row, p) /= norm;
}

/// Divides the columns, which are orthogonal, by their lengths; those without a direction get one
/// that is orthogonal to all others.
SquareMatrix normalised_columns(SquareMatrix a) {
  std::vector<int> done, missing;
  for (int p = 0; p < a.size(); ++p) (column_norm(a, p) > vanishing ? done : missing).push_back(p);
  for (int p : done) normalise_column(a, p);
  for (int p : missing) {
    int emptiest = 0;
    double least = 2;
    for (int row = 0; row < a.size(); ++row) {
      double square = 0;
      for (int q : done) square += std::norm(a(row, q));
      if (square < least) least = square, emptiest = row;
    }
    for (int row = 0; row < a.size(); ++row) a(row, p) = row == emptiest ? 1 : 0;
    project_out(a, p, a, done);
    normalise_column(a, p);
    done.push_back(p);
  }
  return a;
}

SquareMatrix quarter(const SquareMatrix& m, int block_row, int block_column) {
  const int n = m.size() / 2;
  SquareMatrix part(n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      part(row, column) = m(block_row * n + row, block_column * n + column);
  return part;
}

}  // namespace

CosineSine cosine_sine(const SquareMatrix& unitary) {
  const int n = unitary.size() / 2;
  SquareMatrix upper = quarter(unitary, 0, 0), lower = quarter(unitary, 1, 0);
  SquareMatrix v = SquareMatrix::identity(n);
  std::vector<int> all(static_cast<std::size_t>(n)), long_below, short_below;
  std::iota(all.begin(), all.end(), 0);
  // Columns that are orthogonal in the upper half are so in the lower one, to the accuracy of the
  // longest: the short ones are put right by themselves (van Loan).
  orthogonalise_columns(upper, all, {&v, &lower});
  for (int p : all)
    (column_norm(lower, p) > 1 / std::numbers::sqrt2 ? long_below : short_below).push_back(p);
  SquareMatrix basis = lower;
  for (int p : long_below) normalise_column(basis, p);
  // Twice: a column that comes out much shorter than it was has lost its accuracy against the
  // basis.
  for (int repeated = 0; repeated < 2; ++repeated) {
    for (int p : short_below) project_out(lower, p, basis, long_below);
    orthogonalise_columns(lower, short_below, {&v, &upper});
  }

  std::vector<double> angles(static_cast<std::size_t>(n));
  for (int p : all) angles[p] = std::atan2(column_norm(lower, p), column_norm(upper, p));
  const SquareMatrix left_0 = normalised_columns(std::move(upper)),
                     left_1 = normalised_columns(std::move(lower));
  const SquareMatrix sines = adjoint(left_0) * quarter(unitary, 0, 1),
                     cosines = adjoint(left_1) * quarter(unitary, 1, 1);
  SquareMatrix right_1(n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      right_1(row, column) =
          std::cos(angles[row]) * cosines(row, column) - std::sin(angles[row]) * sines(row, column);
  return {{left_0, left_1}, {adjoint(v), right_1}, std::move(angles)};
}

}  // namespace rankine::circuit
