// The simple update of one bond: what each of its two sites contributes, the truncation, and the
// new site tensors.
//
// For a gate sum_g P_g (x) Q_g on an edge of weights lambda, with T_a the tensor of site a with P_g
// applied to it, a matrix of the other legs by (k, g), k the bond:
//   R_a: any factor with R_a^H R_a = T_a^H T_a / (lambda lambda^T)    (the own weight removed)
//   theta = R_a (lambda (x) 1) R_b^T = U S W^H                        (truncated)
//   new T_a = T_a R_b^T W,  new T_b = T_b R_a^T conj(U),  new lambda = S,  all divided by |S|.
// Only the small factors R meet; the site tensors stay where they are. With all weights absorbed no
// inverse of a neighbour's weight is needed. Cf. Jiang, Weng, Xiang, PRL 101, 090603 (2008);
// Jahromi, Orus, PRB 99, 195105 (2019). See docs/algorithms/gpeps.md.
#pragma once

#include <vector>

#include "circuit/gate.hpp"
#include "gpeps/state/site_tensor.hpp"
#include "linalg/factorisations.hpp"
#include "linalg/svd/svd.hpp"

namespace rankine::gpeps {

/// How the factor R is found: from the Gram matrix (a quarter of the flops, all of them matrix
/// products; squares the condition number; gates that are diagonal), or from a QR factorisation
/// (any gate, the check).
enum class Route { gram, qr };

/// One side of a gate: `rank` operators of the site's dimension.
template <linalg::Scalar T>
struct GateSide {
  int rank = 0;
  int dimension = 2;
  bool diagonal = true;
  std::vector<T> elements;  ///< [g][row][column]
  T operator()(int g, int row, int column) const {
    return elements[(g * dimension + row) * dimension + column];
  }
};

/// A two-site operator as sum_g a_g (x) b_g with as few terms as possible.
template <linalg::Scalar T>
struct GateSides {
  GateSide<T> a, b;
};
/// Operator-Schmidt decomposition. For real T the operator must be real (InputError).
template <linalg::Scalar T>
GateSides<T> decompose(const circuit::Operator& op);

/// The factor R of one site, rows x (bond dimension * side.rank), column index k + bond dimension *
/// g; at most as many rows as columns. NumericalError when the tensor has lost its norm or is not
/// finite.
template <linalg::Scalar T>
linalg::Matrix<T> bond_factor(const SiteTensor<T>& tensor, int leg,
                              std::span<const linalg::Real<T>> weights, const GateSide<T>& side,
                              Route route);

/// The truncated bond: what to multiply the two site tensors with, and the new weights (descending,
/// unit norm).
template <linalg::Scalar T>
struct TruncatedBond {
  linalg::Matrix<T> a, b;  ///< (bond dimension * rank) x new bond dimension
  std::vector<linalg::Real<T>> weights;
  double discarded_weight = 0;  ///< relative, this update
};
template <linalg::Scalar T>
TruncatedBond<T> truncate_bond(linalg::ConstView<std::type_identity_t<T>> factor_a,
                               linalg::ConstView<std::type_identity_t<T>> factor_b,
                               std::span<const linalg::Real<T>> weights,
                               const linalg::Truncation& truncation);

/// Applies one side of the gate and the truncation to a site tensor. A leg that came first in
/// memory ends up last. The new elements go into `spare` where that has the right size, and the old
/// memory stays there for the next update: large tensors then never wait for fresh pages.
template <linalg::Scalar T>
void update_site(SiteTensor<T>& tensor, int leg, const GateSide<T>& side,
                 linalg::ConstView<std::type_identity_t<T>> bond, linalg::Buffer<T>& spare);

}  // namespace rankine::gpeps
