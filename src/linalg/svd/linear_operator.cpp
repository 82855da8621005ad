#include "linalg/svd/linear_operator.hpp"

#include "linalg/blas.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/instantiate.hpp"

namespace rankine::linalg {

namespace {

/// All rows of a row-block matrix on every rank. Collective.
template <Scalar T>
Matrix<T> gathered(DistView<const T> x) {
  const parallel::Communicator& ranks = x.grid->ranks();
  auto whole = parallel::agree_on_failure(ranks, [&] { return Matrix<T>(x.rows, x.columns); });
  if (ranks.size() == 1) {
    for (std::int64_t j = 0; j < x.columns; ++j) std::copy_n(&x.local(0, j), x.rows, &whole(0, j));
    return whole;
  }
  const std::int64_t mine = x.local.rows;
  const Axis& rows = x.distribution.rows();
  std::vector<std::int64_t> counts;
  Buffer<T> packed, all;
  parallel::agree_on_failure(ranks, [&] {
    for (int part = 0; part < rows.parts(); ++part)
      counts.push_back(rows.local_size(part) * x.columns);
    packed = Buffer<T>(mine * x.columns);
    all = Buffer<T>(x.rows * x.columns);
  });
  for (std::int64_t j = 0; j < x.columns; ++j)
    std::copy_n(x.local.data + j * x.local.leading, mine, packed.data() + j * mine);
  ranks.all_gather(std::as_const(packed).span(), std::span<const std::int64_t>(counts), all.span());
  const T* next = all.data();
  for (int part = 0; part < rows.parts(); ++part) {
    const std::int64_t count = rows.local_size(part), first = part * rows.block();
    for (std::int64_t j = 0; j < x.columns; ++j, next += count)
      std::copy_n(next, count, whole.data() + first + j * x.rows);
  }
  return whole;
}

}  // namespace

template <Scalar T>
RowBlockOperator<T>::RowBlockOperator(DistView<const T> matrix) : matrix_(matrix) {
  RANKINE_EXPECTS(matrix.distribution.is_row_blocks() && matrix.grid->columns() == 1 &&
                      matrix.grid->rows() == matrix.grid->ranks().size(),
                  "an operator's matrix lies in row blocks over all ranks");
}

template <Scalar T>
void RowBlockOperator<T>::apply(DistView<const T> x, DistView<T> y) const {
  const Matrix<T> whole = gathered(x);
  if (matrix_.local.rows > 0)
    gemm<T>(Op::none, Op::none, T(1), matrix_.local, whole.view(), T(0), y.local);
}

template <Scalar T>
void RowBlockOperator<T>::apply_adjoint(DistView<const T> y, DistView<T> x) const {
  Matrix<T> sum =
      parallel::agree_on_failure(grid().ranks(), [&] { return Matrix<T>(columns(), y.columns); });
  if (matrix_.local.rows > 0)
    gemm<T>(Op::adjoint, Op::none, T(1), matrix_.local, y.local, T(0), sum.view());
  else
    sum.fill(T{});
  grid().ranks().sum(sum.span());
  x.for_each_local([&](std::int64_t i, std::int64_t j, T& value) { value = sum(i, j); });
}

template <Scalar T>
std::optional<double> RowBlockOperator<T>::frobenius_norm() const {
  return linalg::frobenius_norm(matrix_);
}

template <Scalar T>
ProductOperator<T>::ProductOperator(const LinearOperator<T>& left, const LinearOperator<T>& right)
    : left_(left), right_(right) {
  RANKINE_EXPECTS(left.columns() == right.rows() && &left.grid() == &right.grid(),
                  "the factors of a product fit");
}

template <Scalar T>
void ProductOperator<T>::apply(DistView<const T> x, DistView<T> y) const {
  DistMatrix<T> between(grid(), x.distribution.reshaped(right_.rows(), x.columns));
  right_.apply(x, between.view());
  left_.apply(std::as_const(between).view(), y);
}

template <Scalar T>
void ProductOperator<T>::apply_adjoint(DistView<const T> y, DistView<T> x) const {
  DistMatrix<T> between(grid(), y.distribution.reshaped(right_.rows(), y.columns));
  left_.apply_adjoint(y, between.view());
  right_.apply_adjoint(std::as_const(between).view(), x);
}

#define RANKINE_OPERATORS(T)          \
  template class RowBlockOperator<T>; \
  template class ProductOperator<T>;
RANKINE_FOR_EACH_SCALAR(RANKINE_OPERATORS)
#undef RANKINE_OPERATORS

}  // namespace rankine::linalg
