// Square matrices of complex numbers, as large as a few qubits need.
#pragma once

#include <span>
#include <vector>

#include "circuit/gate.hpp"

namespace rankine::circuit {

/// Row-major; zeros after construction.
class SquareMatrix {
 public:
  explicit SquareMatrix(int size) : size_(size), elements_(static_cast<std::size_t>(size) * size) {}
  SquareMatrix(int size, std::vector<Complex> elements);
  static SquareMatrix identity(int size);

  int size() const { return size_; }
  Complex& operator()(int row, int column) { return elements_[row * size_ + column]; }
  const Complex& operator()(int row, int column) const { return elements_[row * size_ + column]; }
  std::span<Complex> elements() { return elements_; }
  std::span<const Complex> elements() const { return elements_; }

  SquareMatrix& operator*=(Complex factor);

 private:
  int size_;
  std::vector<Complex> elements_;
};

SquareMatrix operator*(const SquareMatrix& a, const SquareMatrix& b);
SquareMatrix adjoint(const SquareMatrix& a);
SquareMatrix transpose(const SquareMatrix& a);
/// The largest magnitude of a difference of two elements.
double distance(const SquareMatrix& a, const SquareMatrix& b);
/// How far a^H a is from the identity, by its largest element.
double distance_from_unitary(const SquareMatrix& a);
Complex determinant(SquareMatrix a);

}  // namespace rankine::circuit
