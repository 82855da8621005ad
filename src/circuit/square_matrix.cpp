#include "circuit/square_matrix.hpp"

#include <algorithm>
#include <utility>

#include "core/contracts.hpp"

namespace rankine::circuit {

SquareMatrix::SquareMatrix(int size, std::vector<Complex> elements)
    : size_(size), elements_(std::move(elements)) {
  RANKINE_EXPECTS(std::ssize(elements_) == std::ptrdiff_t{size} * size, "a matrix is full");
}

SquareMatrix SquareMatrix::identity(int size) {
  SquareMatrix matrix(size);
  for (int k = 0; k < size; ++k) matrix(k, k) = 1;
  return matrix;
}

SquareMatrix& SquareMatrix::operator*=(Complex factor) {
  for (Complex& element : elements_) element *= factor;
  return *this;
}

SquareMatrix operator*(const SquareMatrix& a, const SquareMatrix& b) {
  const int n = a.size();
  RANKINE_EXPECTS(n == b.size(), "factors have one size");
  SquareMatrix product(n);
  for (int row = 0; row < n; ++row)
    for (int k = 0; k < n; ++k)
      for (int column = 0; column < n; ++column) product(row, column) += a(row, k) * b(k, column);
  return product;
}

SquareMatrix transpose(const SquareMatrix& a) {
  SquareMatrix out(a.size());
  for (int row = 0; row < a.size(); ++row)
    for (int column = 0; column < a.size(); ++column) out(row, column) = a(column, row);
  return out;
}

SquareMatrix adjoint(const SquareMatrix& a) {
  SquareMatrix out = transpose(a);
  for (Complex& element : out.elements()) element = std::conj(element);
  return out;
}

double distance(const SquareMatrix& a, const SquareMatrix& b) {
  RANKINE_EXPECTS(a.size() == b.size(), "matrices to compare have one size");
  double largest = 0;
  for (std::size_t k = 0; k < a.elements().size(); ++k)
    largest = std::max(largest, std::abs(a.elements()[k] - b.elements()[k]));
  return largest;
}

double distance_from_unitary(const SquareMatrix& a) {
  return distance(adjoint(a) * a, SquareMatrix::identity(a.size()));
}

Complex determinant(SquareMatrix a) {
  const int n = a.size();
  Complex value = 1;
  for (int k = 0; k < n; ++k) {
    int pivot = k;
    for (int row = k + 1; row < n; ++row)
      if (std::abs(a(row, k)) > std::abs(a(pivot, k))) pivot = row;
    if (a(pivot, k) == Complex{}) return 0;
    if (pivot != k) value = -value;
    for (int column = k; column < n; ++column) std::swap(a(k, column), a(pivot, column));
    value *= a(k, k);
    for (int row = k + 1; row < n; ++row) {
      const Complex factor = a(row, k) / a(k, k);
      for (int column = k; column < n; ++column) a(row, column) -= factor * a(k, column);
    }
  }
  return value;
}

}  // namespace rankine::circuit
