#include "linalg/distributed/dist_blas.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/errors.hpp"
#include "linalg/distributed/operand.hpp"
#include "linalg/distributed/redistribute.hpp"
#include "linalg/instantiate.hpp"

namespace rankine::linalg {

template <Scalar T>
void gemm(Op op_a, Op op_b, T alpha, DistView<const std::type_identity_t<T>> a,
          DistView<const std::type_identity_t<T>> b, T beta, DistView<T> c) {
  RANKINE_EXPECTS(a.grid == c.grid && b.grid == c.grid, "operands of one call lie on one grid");
  const std::int64_t inner = op_a == Op::none ? a.columns : a.rows;
  RANKINE_EXPECTS(c.rows == (op_a == Op::none ? a.rows : a.columns) &&
                      c.columns == (op_b == Op::none ? b.columns : b.rows) &&
                      inner == (op_b == Op::none ? b.rows : b.columns),
                  "the shapes of a product fit");
  const auto left = operand(a), right = operand(b);
  const auto out = operand(c);
  if (!c.grid->is_inside() || c.rows == 0 || c.columns == 0) return;
  fortran::pgemm(letter(op_a), letter(op_b), static_cast<int>(c.rows), static_cast<int>(c.columns),
                 static_cast<int>(inner), alpha, left, right, beta, out);
}

template <Scalar T>
void gram(DistView<const std::type_identity_t<T>> a, DistView<T> c) {
  RANKINE_EXPECTS(a.grid == c.grid, "operands of one call lie on one grid");
  RANKINE_EXPECTS(c.rows == a.columns && c.columns == a.columns, "a Gram matrix is square");
  const auto in = operand(a);
  const auto out = operand(c);
  if (!c.grid->is_inside() || a.columns == 0) return;
  fortran::pherk("U", is_complex<T> ? "C" : "T", static_cast<int>(a.columns),
                 static_cast<int>(a.rows), Real<T>(1), in, Real<T>(0), out);
}

template <Scalar T>
void solve_right_upper(DistView<const std::type_identity_t<T>> r, DistView<T> b) {
  RANKINE_EXPECTS(r.grid == b.grid, "operands of one call lie on one grid");
  RANKINE_EXPECTS(r.rows == r.columns && r.rows == b.columns, "the shapes of a solve fit");
  const auto triangle = operand(r);
  const auto in_out = operand(b);
  if (!b.grid->is_inside() || b.rows == 0 || b.columns == 0) return;
  fortran::ptrsm("R", "U", "N", "N", static_cast<int>(b.rows), static_cast<int>(b.columns), T(1),
                 triangle, in_out);
}

template <Scalar T>
void solve_left_upper(DistView<const std::type_identity_t<T>> r, DistView<T> b) {
  RANKINE_EXPECTS(r.grid == b.grid, "operands of one call lie on one grid");
  RANKINE_EXPECTS(r.rows == r.columns && r.rows == b.rows, "the shapes of a solve fit");
  const auto triangle = operand(r);
  const auto in_out = operand(b);
  if (!b.grid->is_inside() || b.rows == 0 || b.columns == 0) return;
  fortran::ptrsm("L", "U", "N", "N", static_cast<int>(b.rows), static_cast<int>(b.columns), T(1),
                 triangle, in_out);
}

template <Scalar T>
void copy(Op op, DistView<const std::type_identity_t<T>> source, DistView<T> target) {
  RANKINE_EXPECTS(source.grid == target.grid, "operands of one call lie on one grid");
  if (op == Op::none && source.distribution == target.distribution && source.row == target.row &&
      source.column == target.column) {
    target.for_each_local([&, offset = source.local.data - target.local.data](
                              std::int64_t, std::int64_t, T& value) { value = (&value)[offset]; });
    return;
  }
  redistribute<T>(target.grid->ranks(), op, source, target);
}

template <Scalar T>
double frobenius_norm(DistView<const T> a) {
  double sum = 0;
  a.for_each_local([&](std::int64_t, std::int64_t, const T& value) {
    sum += squared_magnitude(std::complex<double>(value));
  });
  return std::sqrt(a.grid->ranks().sum(sum));
}

template <Scalar T>
double largest_magnitude(DistView<const T> a) {
  double largest = 0;
  a.for_each_local([&](std::int64_t, std::int64_t, const T& value) {
    largest = std::max<double>(largest, std::abs(value));
  });
  return a.grid->ranks().max(largest);
}

template <Scalar T>
std::vector<double> column_norms(DistView<const T> a) {
  std::vector<double> sums(static_cast<std::size_t>(a.columns), 0);
  a.for_each_local([&](std::int64_t, std::int64_t j, const T& value) {
    sums[static_cast<std::size_t>(j)] += squared_magnitude(std::complex<double>(value));
  });
  a.grid->ranks().sum(std::span(sums));
  for (double& sum : sums) sum = std::sqrt(sum);
  return sums;
}

template <Scalar T>
std::vector<T> diagonal(DistView<const T> a) {
  std::vector<T> values(static_cast<std::size_t>(std::min(a.rows, a.columns)), T{});
  const auto keep = [&](std::int64_t i, std::int64_t j, const T& value) {
    if (i == j) values[static_cast<std::size_t>(i)] = value;
  };
  a.for_each_local(keep);
  a.grid->ranks().sum(std::span(values));
  return values;
}

template <Scalar T>
void scale_columns(DistView<T> a, std::span<const double> factors) {
  a.for_each_local([&](std::int64_t, std::int64_t j, T& value) {
    value *= static_cast<Real<T>>(factors[static_cast<std::size_t>(j)]);
  });
}

template <Scalar T>
void require_finite(DistView<const T> a, std::string_view what) {
  // Bits, not sums: a sum of large finite numbers may overflow.
  bool finite = true;
  a.for_each_local([&](std::int64_t, std::int64_t, const T& value) {
    finite = finite && std::isfinite(std::real(value)) && std::isfinite(std::imag(value));
  });
  const parallel::Communicator& ranks = a.grid->ranks();
  const int first_bad = ranks.min(finite ? ranks.size() : ranks.rank());
  if (first_bad < ranks.size())
    throw known_to_all(
        ranks.size(),
        NumericalError(fmt::format("{} ({} x {}) holds NaN or infinity, on rank {} first. Look for "
                                   "what made it: overflowing weights, activations or angles.",
                                   what, a.rows, a.columns, first_bad)));
}

#define RANKINE_DIST_BLAS(T)                                                                \
  template void gemm<T>(Op, Op, T, DistView<const std::type_identity_t<T>>,                 \
                        DistView<const std::type_identity_t<T>>, T, DistView<T>);           \
  template void gram<T>(DistView<const std::type_identity_t<T>>, DistView<T>);              \
  template void solve_right_upper<T>(DistView<const std::type_identity_t<T>>, DistView<T>); \
  template void solve_left_upper<T>(DistView<const std::type_identity_t<T>>, DistView<T>);  \
  template void copy<T>(Op, DistView<const std::type_identity_t<T>>, DistView<T>);          \
  template double frobenius_norm<T>(DistView<const T>);                                     \
  template double largest_magnitude<T>(DistView<const T>);                                  \
  template std::vector<double> column_norms<T>(DistView<const T>);                          \
  template std::vector<T> diagonal<T>(DistView<const T>);                                   \
  template void scale_columns<T>(DistView<T>, std::span<const double>);                     \
  template void require_finite<T>(DistView<const T>, std::string_view);
RANKINE_FOR_EACH_SCALAR(RANKINE_DIST_BLAS)
#undef RANKINE_DIST_BLAS

}  // namespace rankine::linalg
