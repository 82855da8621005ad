#include "gpeps/state/bond_update.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/errors.hpp"
#include "core/profile.hpp"
#include "linalg/blas.hpp"

namespace rankine::gpeps {

using linalg::ConstView;
using linalg::Matrix;
using linalg::Op;
using linalg::Real;
using linalg::Scalar;

namespace {

bool is_real(const circuit::Operator& op) {
  for (int row = 0; row < op.size(); ++row)
    for (int column = 0; column < op.size(); ++column)
      if (op(row, column).imag() != 0) return false;
  return true;
}

/// The operator with its indices regrouped by site; diagonal operators need only their d x d
/// diagonal.
template <Scalar S>
Matrix<S> regrouped(const circuit::Operator& op) {
  const int d = op.dimension(), n = op.is_diagonal() ? d : d * d;
  Matrix<S> m(n, n);
  for (int x = 0; x < n; ++x)
    for (int y = 0; y < n; ++y)
      m(x, y) =
          linalg::from_complex<S>(op.is_diagonal() ? op(x * d + y, x * d + y)
                                                   : op((x / d) * d + y / d, (x % d) * d + y % d));
  return m;
}

/// Puts the g-th vector, of n elements, into the matrices of a side.
template <Scalar T, class Element>
GateSide<T> make_side(const circuit::Operator& op, int rank, const Element& element) {
  const int d = op.dimension();
  GateSide<T> side{rank, d, op.is_diagonal(), std::vector<T>(rank * d * d)};
  for (int g = 0; g < rank; ++g)
    for (int x = 0; x < (side.diagonal ? d : d * d); ++x)
      side.elements[g * d * d + (side.diagonal ? x * d + x : x)] =
          linalg::from_complex<T>(element(g, x));
  return side;
}

template <Scalar T, Scalar S>
GateSides<T> decompose_as(const circuit::Operator& op) {
  // Singular values at rounding level are no terms of the gate.
  const auto svd = linalg::svd(regrouped<S>(op), {.discarded_weight_max = 1e-30});
  const auto rank = static_cast<int>(svd.rank());
  return {
      make_side<T>(op, rank,
                   [&](int g, int x) {
                     return std::complex<double>(std::sqrt(svd.singular_values[g]) * svd.u(x, g));
                   }),
      make_side<T>(op, rank, [&](int g, int x) {
        return std::complex<double>(std::sqrt(svd.singular_values[g]) * svd.vh(g, x));
      })};
}

/// R for a diagonal side, without ever forming the large Gram matrix: with R_q^H R_q = G^q /
/// (lambda lambda^T) at each physical value q, the blocks p_g(q) R_q are R's rows (q, m) and
/// columns (k, g).
template <Scalar T>
Matrix<T> diagonal_factor(const SiteTensor<T>& tensor, int leg, std::span<const Real<T>> weights,
                          const GateSide<T>& side) {
  const LegShape shape = shape_from_leg(tensor.dimensions, leg);
  const std::int64_t bond = shape.dimension;
  std::vector<Matrix<T>> blocks;
  std::int64_t rows = 0;
  for (int q = 0; q < tensor.physical_dimension; ++q) {
    Matrix<T> gram = leg_gram(tensor.block(q), shape);
    for (std::int64_t l = 0; l < bond; ++l)
      for (std::int64_t k = 0; k <= l; ++k) gram(k, l) /= weights[k] * weights[l];
    blocks.push_back(linalg::gram_factor(std::move(gram)));
    rows += blocks.back().rows();
  }
  Matrix<T> factor(rows, bond * side.rank);
  std::int64_t first = 0;
  for (int q = 0; q < tensor.physical_dimension; ++q) {
    for (int g = 0; g < side.rank; ++g)
      for (std::int64_t k = 0; k < bond; ++k)
        for (std::int64_t m = 0; m < blocks[q].rows(); ++m)
          factor(first + m, g * bond + k) = side(g, q, q) * blocks[q](m, k);
    first += blocks[q].rows();
  }
  return factor;
}

/// T_a / lambda as a dense matrix: rows (left, right, q), columns (k, g).
template <Scalar T>
Matrix<T> gate_columns(const SiteTensor<T>& tensor, int leg, std::span<const Real<T>> weights,
                       const GateSide<T>& side) {
  const auto [left, bond, right] = shape_from_leg(tensor.dimensions, leg);
  const int d = tensor.physical_dimension;
  Matrix<T> columns(left * right * d, bond * side.rank);
  columns.fill(T{});
  for (int g = 0; g < side.rank; ++g)
    for (int row = 0; row < d; ++row)
      for (int q = 0; q < d; ++q) {
        const T p = side(g, row, q);
        if (p == T{}) continue;
        for (std::int64_t k = 0; k < bond; ++k)
          for (std::int64_t r = 0; r < right; ++r) {
            const T* from = tensor.block(q) + (r * bond + k) * left;
            T* to = &columns((row * right + r) * left, g * bond + k);
            for (std::int64_t x = 0; x < left; ++x) to[x] += p / weights[k] * from[x];
          }
      }
  return columns;
}

}  // namespace

template <Scalar T>
GateSides<T> decompose(const circuit::Operator& op) {
  const ProfileStage stage("gates", Flops::counted);
  if (is_real(op)) return decompose_as<T, double>(op);
  if constexpr (linalg::is_complex<T>)
    return decompose_as<T, std::complex<double>>(op);
  else
    throw InputError(fmt::format(
        "gate {} is complex but the state is real. Use a complex precision.", op.name()));
}

template <Scalar T>
Matrix<T> bond_factor(const SiteTensor<T>& tensor, int leg, std::span<const Real<T>> weights,
                      const GateSide<T>& side, Route route) {
  const ProfileStage stage("bond factors", Flops::counted);
  const bool by_gram = route == Route::gram && side.diagonal;
  Matrix<T> factor = by_gram ? diagonal_factor(tensor, leg, weights, side)
                             : gate_columns(tensor, leg, weights, side);
  // A diagonal gate of fewer terms than its site has levels gives more rows than columns.
  if (by_gram && factor.rows() <= factor.columns()) return factor;
  return linalg::qr_factor(std::move(factor));
}

template <Scalar T>
TruncatedBond<T> truncate_bond(ConstView<std::type_identity_t<T>> factor_a,
                               ConstView<std::type_identity_t<T>> factor_b,
                               std::span<const Real<T>> weights,
                               const linalg::Truncation& truncation) {
  const ProfileStage stage("bond products", Flops::counted);
  const std::int64_t columns = factor_a.columns, bond = std::ssize(weights);
  if (factor_a.rows == 0 || factor_b.rows == 0)
    throw NumericalError(
        "a site tensor is zero, so its bond cannot be updated. Check the gates of the circuit.");
  Matrix<T> weighted(factor_a.rows, columns);
  for (std::int64_t k = 0; k < columns; ++k)
    for (std::int64_t r = 0; r < factor_a.rows; ++r)
      weighted(r, k) = factor_a(r, k) * weights[k % bond];
  Matrix<T> theta(factor_a.rows, factor_b.rows);
  linalg::gemm<T>(Op::none, Op::transpose, T(1), weighted.view(), factor_b, T(0), theta.view());

  // Singular values of rounding size are no correlations, whatever the deck allows to keep.
  linalg::Truncation above_rounding = truncation;
  above_rounding.relative_threshold =
      std::max<double>(truncation.relative_threshold,
                       static_cast<double>(columns) * std::numeric_limits<Real<T>>::epsilon());
  auto svd = [&] {
    const ProfileStage of_svd("svd", Flops::counted);
    return linalg::svd(std::move(theta), above_rounding);
  }();
  Real<T> norm = 0;
  for (auto it = svd.singular_values.rbegin(); it != svd.singular_values.rend(); ++it)
    norm += *it * *it;
  norm = std::sqrt(norm);
  if (!(norm > 0))
    throw NumericalError(
        "a bond lost all its weight: the state is zero. Check the gates of the circuit.");
  const T scale = T(1) / norm;
  TruncatedBond<T> bond_out{Matrix<T>(columns, svd.rank()), Matrix<T>(columns, svd.rank()),
                            std::move(svd.singular_values), svd.discarded_weight};
  for (auto& value : bond_out.weights) value /= norm;
  const auto kept = static_cast<std::int64_t>(bond_out.weights.size());
  linalg::gemm<T>(Op::transpose, Op::adjoint, scale, factor_b, svd.vh.leading_rows(kept), T(0),
                  bond_out.a.view());
  linalg::gemm<T>(Op::adjoint, Op::none, scale, factor_a, svd.u.leading_columns(kept), T(0),
                  bond_out.b.view());
  if constexpr (linalg::is_complex<T>)
    for (T& value : bond_out.b.span()) value = std::conj(value);
  return bond_out;
}

template <Scalar T>
void update_site(SiteTensor<T>& tensor, int leg, const GateSide<T>& side,
                 ConstView<std::type_identity_t<T>> bond, linalg::Buffer<T>& spare) {
  const ProfileStage stage("site products", Flops::counted);
  const LegShape shape = shape_from_leg(tensor.dimensions, leg);
  const int d = tensor.physical_dimension;
  const std::int64_t columns = bond.columns, k_size = shape.dimension;
  const std::int64_t new_block = shape.left * columns * shape.right;
  linalg::Buffer<T> elements =
      spare.size() == new_block * d ? std::move(spare) : linalg::Buffer<T>(new_block * d);
  Matrix<T> y(k_size, columns);
  for (int row = 0; row < d; ++row) {
    T beta = 0;
    for (int q = 0; q < d; ++q) {
      if (side.diagonal && q != row) continue;
      for (std::int64_t x = 0; x < columns; ++x)
        for (std::int64_t k = 0; k < k_size; ++k) {
          T sum{};
          for (int g = 0; g < side.rank; ++g) sum += side(g, row, q) * bond(g * k_size + k, x);
          y(k, x) = sum;
        }
      multiply_leg<T>(tensor.block(q), shape, y.view(), beta, elements.data() + row * new_block,
                      leg == 0 ? LegPlacement::cyclic : LegPlacement::in_place);
      beta = 1;
    }
  }
  std::swap(tensor.elements, elements);
  if (elements.size() >= spare.size()) spare = std::move(elements);
  tensor.dimensions[leg] = columns;
  if (leg == 0) {
    std::rotate(tensor.dimensions.begin(), tensor.dimensions.begin() + 1, tensor.dimensions.end());
    std::rotate(tensor.legs.begin(), tensor.legs.begin() + 1, tensor.legs.end());
  }
}

#define RANKINE_INSTANTIATE(T)                                                                     \
  template GateSides<T> decompose<T>(const circuit::Operator&);                                    \
  template Matrix<T> bond_factor<T>(const SiteTensor<T>&, int, std::span<const Real<T>>,           \
                                    const GateSide<T>&, Route);                                    \
  template TruncatedBond<T> truncate_bond<T>(ConstView<std::type_identity_t<T>>,                   \
                                             ConstView<std::type_identity_t<T>>,                   \
                                             std::span<const Real<T>>, const linalg::Truncation&); \
  template void update_site<T>(SiteTensor<T>&, int, const GateSide<T>&,                            \
                               ConstView<std::type_identity_t<T>>, linalg::Buffer<T>&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
