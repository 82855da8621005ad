// Orthogonal matrices by their skew-symmetric generators.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace rankine::weights {

/// Numbers of a generator of a block: those above its diagonal.
constexpr std::int64_t generator_numbers(std::int64_t size) { return size * (size - 1) / 2; }

/// The matrices A of generators that are n x size (size - 1) / 2, in their type: n x size x size.
torch::Tensor skew_matrices(const torch::Tensor& generators, std::int64_t size);

/// R = (I - A)(I + A)^(-1), the Cayley transform: n x size x size in the type of `generators`,
/// which are n x size (size - 1) / 2, the parts of the skew-symmetric matrices A above their
/// diagonals, row by row. R is computed in float64, so it is orthogonal to the rounding of its own
/// type; it is the identity where A is 0, of determinant 1, and never has the eigenvalue -1.
/// Differentiable: dL/dA = -(I + R)^T G (I + A)^(-T), of which the skew-symmetric part counts.
torch::Tensor cayley(const torch::Tensor& generators, std::int64_t size);

/// Generators and signs (n x size, +1 or -1) with R = diag(signs) cayley(generators), for any
/// orthogonal matrices (n x size x size, float64). Signs are chosen so that I + diag(signs) R has
/// no small pivot, so generators stay moderate for every R; that there are such signs is O'Dorney's
/// theorem (Linear Algebra and its Applications 448, 2014).
struct SignedGenerators {
  torch::Tensor generators;
  torch::Tensor signs;
};
SignedGenerators generators_of(const torch::Tensor& rotations);

}  // namespace rankine::weights
