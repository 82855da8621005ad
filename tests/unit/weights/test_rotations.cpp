// Orthogonal circuits: the Cayley transform and its gradient, signs for any orthogonal matrix, and
// blocks on an axis against the matrix they stand for.
#include <gtest/gtest.h>
#include <torch/linalg.h>

#include <cmath>

#include "weights/rotations/cayley.hpp"
#include "weights/rotations/noisy_blocks.hpp"
#include "weights/rotations/rotation.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

Tensor random(std::vector<std::int64_t> shape, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::randn(shape, generator, torch::kFloat64);
}

Tensor random_orthogonal(std::int64_t count, std::int64_t size, std::uint64_t seed) {
  return std::get<0>(torch::linalg_qr(random({count, size, size}, seed)));
}

double largest(const Tensor& values) { return values.abs().max().item<double>(); }

TEST(Cayley, IsARotationAndTheIdentityAtZero) {
  for (const std::int64_t size : {2, 3, 8, 64}) {
    const Tensor r = cayley(random({3, generator_numbers(size)}, 1), size);
    EXPECT_LT(largest(torch::bmm(r, r.transpose(1, 2)) - torch::eye(size, torch::kFloat64)), 1e-13);
    EXPECT_NEAR(torch::linalg_det(r)[1].item<double>(), 1, 1e-12);
    EXPECT_EQ(largest(cayley(torch::zeros({1, generator_numbers(size)}), size) - torch::eye(size)),
              0);
  }
}

TEST(Cayley, SinglePrecisionIsOrthogonalToItsRounding) {
  const Tensor r = cayley(3 * random({20, generator_numbers(64)}, 2).to(torch::kFloat32), 64);
  const Tensor exact = r.to(torch::kFloat64);
  EXPECT_LT(largest(torch::bmm(exact, exact.transpose(1, 2)) - torch::eye(64, torch::kFloat64)),
            2e-7);
}

TEST(Cayley, GradientIsThatOfFiniteDifferences) {
  constexpr std::int64_t size = 5, numbers = generator_numbers(size);
  const Tensor weights = random({2, size, size}, 3);
  Tensor generators = random({2, numbers}, 4).requires_grad_(true);
  (weights * cayley(generators, size)).sum().backward();
  const torch::NoGradGuard no_gradients;
  constexpr double step = 1e-5;
  for (std::int64_t n = 0; n < 2 * numbers; ++n) {
    const auto loss_at = [&](double shift) {
      Tensor shifted = generators.detach().clone();
      shifted.view(-1)[n] += shift;
      return (weights * cayley(shifted, size)).sum().item<double>();
    };
    // Fourth order.
    const double difference =
        (8 * (loss_at(step) - loss_at(-step)) - (loss_at(2 * step) - loss_at(-2 * step))) /
        (12 * step);
    EXPECT_NEAR(generators.grad().view(-1)[n].item<double>(), difference, 1e-8);
  }
}

TEST(Cayley, SignsGiveModerateGeneratorsOfAnyOrthogonalMatrix) {
  Tensor rotations =
      torch::cat({random_orthogonal(20, 6, 5), -torch::eye(6, torch::kFloat64).view({1, 6, 6}),
                  torch::eye(6, torch::kFloat64).flip(0).view({1, 6, 6})});
  const auto [generators, signs] = generators_of(rotations);
  EXPECT_LT(largest(cayley(generators, 6) * signs.unsqueeze(2) - rotations), 1e-12);
  EXPECT_LT(largest(generators), 100);
}

/// The blocks written out as one matrix.
Tensor matrix_of(const Tensor& blocks, const BlockLayout& layout) {
  Tensor whole = torch::zeros({layout.width, layout.width}, torch::kFloat64);
  const std::int64_t outer = layout.groups() / layout.stride;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t s = 0; s < layout.stride; ++s)
      for (std::int64_t i = 0; i < layout.size; ++i)
        for (std::int64_t j = 0; j < layout.size; ++j)
          whole[(o * layout.size + i) * layout.stride + s]
               [(o * layout.size + j) * layout.stride + s] =
                   blocks[blocks.size(0) == 1 ? 0 : o * layout.stride + s][i][j];
  return whole;
}

TEST(Blocks, AreTheMatrixTheyStandFor) {
  for (const BlockLayout& layout : {BlockLayout{12, 2, 1}, BlockLayout{12, 2, 3},
                                    BlockLayout{12, 3, 4}, BlockLayout{12, 12, 1}})
    for (const std::int64_t count : {std::int64_t{1}, layout.groups()}) {
      const Tensor blocks = random({count, layout.size, layout.size}, 6);
      const Tensor whole = matrix_of(blocks, layout);
      for (const std::int64_t rows : {0, 1, 7}) {
        const Tensor x = random({rows, 12}, 7);
        EXPECT_TRUE(torch::allclose(apply_blocks(x, blocks, layout), torch::mm(x, whole.t())));
        EXPECT_TRUE(
            torch::allclose(apply_blocks_to_rows(x.t(), blocks, layout), torch::mm(whole, x.t())));
      }
    }
}

TEST(Rotations, UndoThemselvesTransposed) {
  Rotation rotation = identity_rotation(48, 4, 3, torch::kFloat64);
  EXPECT_EQ(rotation.layers()[1].layout.stride, 4);
  EXPECT_EQ(rotation.layers()[2].layout.stride, 1) << "48 has two factors of 4";
  const Tensor x = random({5, 48}, 8);
  EXPECT_EQ(largest(apply_circuit(rotation.circuit(), x) - x), 0);
  for (const RotationLayer& layer : rotation.layers())
    layer.generators.copy_(random({layer.layout.groups(), 6}, 9));
  const Tensor y = apply_circuit(rotation.circuit(), x);
  EXPECT_GT(largest(y - x), 0.1) << "blocks that were kept are made anew";
  EXPECT_LT(largest(apply_transposed_circuit(rotation.circuit(), y) - x), 1e-13);
  EXPECT_LT(largest(apply_circuit_to_rows(rotation.circuit(), x.t()).t() - y), 1e-13);
  EXPECT_LT(largest(apply_transposed_circuit_to_rows(rotation.circuit(), y.t()).t() - x), 1e-13);
}

TEST(Rotations, FarthestGroupsWhereNoPowerOfTheSizeIsLeft) {
  const Rotation rotation = identity_rotation(576, 32, 2, torch::kFloat32);
  EXPECT_EQ(rotation.layers()[1].layout.stride, 18);
}

TEST(Rotations, StayOrthogonalWhileTheyAreTrained) {
  const Rotation rotation = identity_rotation(32, 16, 1, torch::kFloat32);
  Tensor numbers = rotation.layers()[0].generators.requires_grad_(true);
  const Tensor x = random({20, 32}, 11).to(torch::kFloat32),
               wanted = random({20, 32}, 12).to(torch::kFloat32);
  for (int step = 0; step < 50; ++step) {
    (apply_circuit(rotation.circuit(), x) - wanted).square().sum().backward();
    const torch::NoGradGuard no_gradients;
    numbers.sub_(0.02 * numbers.grad());
    numbers.grad().zero_();
  }
  const torch::NoGradGuard no_gradients;
  const Tensor r = rotation.circuit()[0].blocks.to(torch::kFloat64);
  EXPECT_GT(largest(r[0] - torch::eye(16)), 0.5);
  EXPECT_LT(largest(torch::bmm(r, r.transpose(1, 2)) - torch::eye(16, torch::kFloat64)), 1e-6);
}

TEST(Rotations, FreeBlocksAreTheIdentityPlusTheirNumbers) {
  const Rotation rotation = identity_rotation(12, 3, 1, torch::kFloat64, BlockGenerator::free);
  const Tensor x = random({5, 12}, 13);
  EXPECT_EQ(largest(apply_circuit(rotation.circuit(), x) - x), 0);
  const Tensor numbers = random({4, 9}, 14);
  rotation.layers()[0].generators.copy_(numbers);
  const Tensor blocks = numbers.view({4, 3, 3}) + torch::eye(3, torch::kFloat64);
  EXPECT_LT(largest(apply_circuit(rotation.circuit(), x) -
                    torch::mm(x, matrix_of(blocks, {12, 3, 1}).t())),
            1e-14);
}

TEST(NoisyBlocks, HaveTheContrastAndTheDeviationAsked) {
  const BlockLayout layout{12, 2, 3};
  const BlockCircuit circuit{{layout, random_orthogonal(6, 2, 15)}};
  const Tensor x = random({20000, 12}, 16), exact = apply_circuit(circuit, x);
  EXPECT_LT(largest(apply_noisy_circuit(circuit, x, {}, 0) - exact), 1e-14);
  const BlockNoise noise{.contrast = 0.7, .deviation = 0.1, .seed = 4};
  const Tensor noisy = apply_noisy_circuit(circuit, x, noise, 1);
  EXPECT_EQ(largest(noisy - apply_noisy_circuit(circuit, x, noise, 1)), 0);
  EXPECT_GT(largest(noisy - apply_noisy_circuit(circuit, x, noise, 2)), 0.01);
  // Of indices 0 and 3, a group, in units of its norm.
  const Tensor norms = (x.select(1, 0).square() + x.select(1, 3).square()).sqrt();
  const Tensor errors = (noisy - 0.7 * exact).select(1, 3) / norms;
  EXPECT_NEAR(errors.mean().item<double>(), 0, 4 * 0.1 / std::sqrt(20000));
  EXPECT_NEAR(errors.std().item<double>(), 0.1, 0.003);
}

}  // namespace
}  // namespace rankine::weights
