// A matrix known by what it does to vectors.
//
// Vectors are the columns of row-block matrices on a grid of P x 1 ranks: the layout of PETSc.
#pragma once

#include <memory>
#include <optional>

#include "linalg/distributed/dist_matrix.hpp"

namespace rankine::linalg {

template <Scalar T>
class LinearOperator {
 public:
  virtual ~LinearOperator() = default;
  virtual std::int64_t rows() const = 0;
  virtual std::int64_t columns() const = 0;
  /// A grid of P x 1 ranks, all of the communicator.
  virtual const ProcessGrid& grid() const = 0;
  /// y = A x; x is n x b, y m x b, both whole matrices in row blocks. Collective.
  virtual void apply(DistView<const T> x, DistView<T> y) const = 0;
  /// x = A^H y. Collective.
  virtual void apply_adjoint(DistView<const T> y, DistView<T> x) const = 0;
  /// The Frobenius norm where it is known. Collective.
  virtual std::optional<double> frobenius_norm() const { return std::nullopt; }
};

/// A matrix in row blocks as an operator: one product with the local rows, one gather or sum.
template <Scalar T>
class RowBlockOperator final : public LinearOperator<T> {
 public:
  /// `matrix` (whole, in row blocks on P x 1 ranks) must outlive the operator.
  explicit RowBlockOperator(DistView<const T> matrix);
  std::int64_t rows() const override { return matrix_.rows; }
  std::int64_t columns() const override { return matrix_.columns; }
  const ProcessGrid& grid() const override { return *matrix_.grid; }
  void apply(DistView<const T> x, DistView<T> y) const override;
  void apply_adjoint(DistView<const T> y, DistView<T> x) const override;
  std::optional<double> frobenius_norm() const override;

 private:
  DistView<const T> matrix_;
};

/// A^H of an operator A.
template <Scalar T>
class AdjointOperator final : public LinearOperator<T> {
 public:
  /// `a` must outlive its adjoint.
  explicit AdjointOperator(const LinearOperator<T>& a) : a_(a) {}
  std::int64_t rows() const override { return a_.columns(); }
  std::int64_t columns() const override { return a_.rows(); }
  const ProcessGrid& grid() const override { return a_.grid(); }
  void apply(DistView<const T> x, DistView<T> y) const override { a_.apply_adjoint(x, y); }
  void apply_adjoint(DistView<const T> y, DistView<T> x) const override { a_.apply(y, x); }
  std::optional<double> frobenius_norm() const override { return a_.frobenius_norm(); }

 private:
  const LinearOperator<T>& a_;
};

/// The product of two operators, never formed.
template <Scalar T>
class ProductOperator final : public LinearOperator<T> {
 public:
  /// Both on the same grid; they must outlive the product.
  ProductOperator(const LinearOperator<T>& left, const LinearOperator<T>& right);
  std::int64_t rows() const override { return left_.rows(); }
  std::int64_t columns() const override { return right_.columns(); }
  const ProcessGrid& grid() const override { return left_.grid(); }
  void apply(DistView<const T> x, DistView<T> y) const override;
  void apply_adjoint(DistView<const T> y, DistView<T> x) const override;

 private:
  const LinearOperator<T>& left_;
  const LinearOperator<T>& right_;
};

}  // namespace rankine::linalg
