// A site tensor: one leg per edge of the site and a physical index, with the weights of all its
// edges absorbed.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "circuit/gate.hpp"
#include "linalg/matrix.hpp"

namespace rankine::gpeps {

/// B[l0, l1, ..., q]: legs in `legs` order, the first the fastest in memory, the physical index q
/// the slowest. Weighted: B is Vidal's Gamma times the weights of all edges at the site. The order
/// of legs is part of the state and changes with every bond update.
template <linalg::Scalar T>
struct SiteTensor {
  std::vector<int> legs;                 ///< edge index of each leg
  std::vector<std::int64_t> dimensions;  ///< bond dimension of each leg
  int physical_dimension = 2;
  linalg::Buffer<T> elements;

  /// The site in the state of these amplitudes, one for each physical value, with all bond
  /// dimensions 1.
  static SiteTensor product_state(std::vector<int> legs,
                                  const std::vector<std::complex<double>>& amplitudes);

  std::int64_t block_size() const;  ///< number of elements at one physical value
  T* block(int q) { return elements.data() + q * block_size(); }
  const T* block(int q) const { return elements.data() + q * block_size(); }
  int leg_of(int edge) const;  ///< position of the leg of an edge
  SiteTensor copy() const;
};

/// The tensor seen from one leg: each physical block is (left, dimension, right), column-major.
struct LegShape {
  std::int64_t left = 1;
  std::int64_t dimension = 1;
  std::int64_t right = 1;
};
LegShape shape_from_leg(const std::vector<std::int64_t>& dimensions, int leg);

/// Where a leg stands after a product with it.
enum class LegPlacement {
  in_place,
  cyclic,  ///< a first leg moves to the end, so that the next leg in order becomes the first
};

/// out = sum_k in[.., k, ..] y[k, x]: multiplies one leg of block `in` with a matrix, adding to
/// `out` when `beta` is one. The leg is replaced by the columns of y; with LegPlacement::cyclic and
/// left = 1, `out` is (right, x) instead of (x, right).
template <linalg::Scalar T>
void multiply_leg(const T* in, LegShape shape, linalg::ConstView<std::type_identity_t<T>> y, T beta,
                  T* out, LegPlacement placement);

/// G[k, l] = sum over the other legs of conj(a[k]) b[l] at one physical value; `a` and `b` have the
/// same shape.
template <linalg::Scalar T>
void add_leg_overlap(const T* a, const T* b, LegShape shape, linalg::Matrix<T>& overlap);

/// Upper triangle of G[k, l] = sum over the other legs of conj(B[k]) B[l] at one physical value, at
/// half the flops of the overlap.
template <linalg::Scalar T>
linalg::Matrix<T> leg_gram(const T* block, LegShape shape);

/// Applies a one-site operator to the physical index.
template <linalg::Scalar T>
void apply_operator(SiteTensor<T>& tensor, const circuit::Operator& op);

/// rho[q, p] = sum of conj(B^p) B^q, divided by its trace: the one-site density matrix in the
/// mean-field environment, row-major. NumericalError when the tensor is zero or not finite.
template <linalg::Scalar T>
std::vector<std::complex<double>> one_site_density(const SiteTensor<T>& tensor);

/// Re tr(op rho) of that density matrix.
template <linalg::Scalar T>
double expectation(const SiteTensor<T>& tensor, const circuit::Operator& op);

}  // namespace rankine::gpeps
