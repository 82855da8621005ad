// What is added to the diagonal of second moments before they are factorised or inverted, so that
// directions which the calibration text says nothing about are settled by the weight itself and not
// by rounding.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace rankine::weights {

/// In parts of the mean diagonal of a moment of inputs.
inline constexpr double input_ridge = 1e-6;

/// `wanted` parts of the mean diagonal of an n x n moment; more where rounding of the products of
/// `type` that were summed may have taken more from the smallest eigenvalue.
double ridge_above_rounding(double wanted, std::int64_t n, torch::ScalarType type);

/// Adds `part` of the mean diagonal to the diagonal of a moment that is not zero, n x n or its n
/// diagonal numbers, in place; tenfold more, and again, while rounding still leaves no positive
/// matrix. Returns the lower Cholesky factor of an n x n one. Throws NumericalError for numbers
/// that are not finite.
torch::Tensor add_ridge(const torch::Tensor& moment, double part);

/// A float64 moment with `wanted` or what rounding needs added in place, positive definite;
/// undefined for one of zeros.
torch::Tensor made_positive(const torch::Tensor& moment, double wanted, torch::ScalarType type);

/// Inverse of a positive semidefinite matrix whose weak directions are held back by 1e-6 of the
/// mean diagonal, for where it need not be exact.
torch::Tensor damped_inverse(const torch::Tensor& matrix);

/// Of a moment, n x n or its diagonal: the calibration text says nothing at all then.
bool is_zero(const torch::Tensor& moment);

}  // namespace rankine::weights
