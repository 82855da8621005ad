// Products, norms and checks of distributed matrices.
//
// Everything here is collective over the ranks of the grid, and all operands of one call lie on the
// same grid. Dimensions are checked into ScaLAPACK's 32-bit integers (ResourceError on all ranks).
#pragma once

#include <string_view>
#include <vector>

#include "linalg/distributed/dist_matrix.hpp"

namespace rankine::linalg {

/// C = alpha op(A) op(B) + beta C (ScaLAPACK p?gemm).
template <Scalar T>
void gemm(Op op_a, Op op_b, T alpha, DistView<const std::type_identity_t<T>> a,
          DistView<const std::type_identity_t<T>> b, T beta, DistView<T> c);

/// Upper triangle of C = A^H A (p?syrk, p?herk).
template <Scalar T>
void gram(DistView<const std::type_identity_t<T>> a, DistView<T> c);

/// B = B R^{-1} with the upper triangle R of a square matrix (p?trsm).
template <Scalar T>
void solve_right_upper(DistView<const std::type_identity_t<T>> r, DistView<T> b);

/// B = R^{-1} B likewise. R and B may be parts of one matrix that do not overlap.
template <Scalar T>
void solve_left_upper(DistView<const std::type_identity_t<T>> r, DistView<T> b);

/// target = source, or its transpose or adjoint; the layouts may differ, the grid may not.
template <Scalar T>
void copy(Op op, DistView<const std::type_identity_t<T>> source, DistView<T> target);

/// Square root of the sum of squares of all elements, summed in double precision.
template <Scalar T>
double frobenius_norm(DistView<const T> a);
/// The largest magnitude of an element.
template <Scalar T>
double largest_magnitude(DistView<const T> a);
/// The Euclidean norm of every column, on every rank, in double precision.
template <Scalar T>
std::vector<double> column_norms(DistView<const T> a);
/// The diagonal, on every rank.
template <Scalar T>
std::vector<T> diagonal(DistView<const T> a);

/// Column j of A times factors[j].
template <Scalar T>
void scale_columns(DistView<T> a, std::span<const double> factors);

/// NumericalError on all ranks when an element is NaN or infinite; `what` names the matrix in it.
template <Scalar T>
void require_finite(DistView<const T> a, std::string_view what);

}  // namespace rankine::linalg
