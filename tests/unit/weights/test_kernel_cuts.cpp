// Kernels truncated along each of the seven cuts.
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/errors.hpp"
#include "weights/making/kernel_cuts.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

const KernelShape uneven{5, 4, 3, 2};

Tensor uneven_kernel(torch::ScalarType type = torch::kFloat64) {
  torch::manual_seed(3);
  return torch::randn({5, 4, 3, 2}, type);
}

/// A sum of `rank` products of a tensor of the axes before the cut and one of those behind it.
Tensor kernel_of_rank(std::string_view name, std::int64_t rank) {
  const std::string before(name.substr(0, name.find('|'))), behind(name.substr(before.size() + 1));
  const auto random = [&](const std::string& axes) {
    std::vector<std::int64_t> lengths{rank};
    for (const char axis : axes)
      lengths.push_back(uneven_kernel().size(std::string("oihw").find(axis)));
    return torch::randn(lengths, torch::kFloat64);
  };
  return torch::einsum("r" + before + ",r" + behind + "->oihw", {random(before), random(behind)});
}

TEST(KernelCuts, HaveTheRankOfTheirMatrix) {
  for (const auto& [cut, name] : kernel_cut_names) {
    SCOPED_TRACE(name);
    torch::manual_seed(5);
    const Tensor kernel = kernel_of_rank(name, 2);
    const DecomposedKernel decomposed(kernel, cut);
    EXPECT_EQ(decomposed.full_rank(), cut_shape(cut, uneven).full_rank());
    EXPECT_TRUE(torch::allclose(decomposed.truncated(2), kernel, 1e-12, 1e-12));
    EXPECT_NEAR(decomposed.norm_loss(2), 0, 1e-12);
    EXPECT_GT(decomposed.norm_loss(1), 0.001);
    EXPECT_EQ(value_named(kernel_cut_names, name), cut);
  }
}

TEST(KernelCuts, LoseTheNormThatTheyTell) {
  for (const auto type : {torch::kFloat32, torch::kFloat64})
    for (const auto& [cut, name] : kernel_cut_names) {
      SCOPED_TRACE(name);
      const Tensor kernel = uneven_kernel(type);
      const DecomposedKernel decomposed(kernel, cut);
      double last = 1;
      for (std::int64_t rank = 1; rank <= decomposed.full_rank(); ++rank) {
        const Tensor truncated = decomposed.truncated(rank);
        EXPECT_EQ(truncated.scalar_type(), type);
        EXPECT_TRUE(torch::equal(truncated, truncate_kernel(kernel, cut, rank)));
        const double loss = 1 - (truncated.norm() / kernel.norm()).item<double>();
        EXPECT_NEAR(decomposed.norm_loss(rank), loss, 1e-6);
        EXPECT_LE(decomposed.norm_loss(rank), last);
        last = decomposed.norm_loss(rank);
        // The best of its rank: the rest is orthogonal to it.
        EXPECT_NEAR(((kernel - truncated) * truncated).sum().item<double>(), 0, 1e-5);
      }
      EXPECT_TRUE(
          torch::allclose(decomposed.truncated(decomposed.full_rank()), kernel, 1e-5, 1e-6));
    }
}

TEST(KernelCuts, HaveTheNumbersOfTheirFactors) {
  const KernelShape layer{64, 32, 3, 3};
  const auto numbers = [&](KernelCut cut) {
    return stored_numbers(FactorGauge::free, cut_shape(cut, layer), 2);
  };
  EXPECT_EQ(numbers(KernelCut::o_ihw), 2 * (64 + 32 * 9));
  EXPECT_EQ(numbers(KernelCut::i_ohw), 2 * (32 + 64 * 9));
  EXPECT_EQ(numbers(KernelCut::oh_iw), 2 * 3 * (64 + 32));
  EXPECT_EQ(numbers(KernelCut::oi_hw), 2 * (64 * 32 + 9));
}

TEST(KernelCuts, OfAKernelOfZerosLoseNothing) {
  const DecomposedKernel decomposed(torch::zeros({5, 4, 3, 3}), KernelCut::oh_iw);
  EXPECT_EQ(decomposed.norm_loss(1), 0);
  EXPECT_EQ(decomposed.truncated(1).abs().sum().item<double>(), 0);
}

TEST(KernelCuts, RefuseNumbersThatAreNotFinite) {
  const Tensor kernel = uneven_kernel();
  kernel[1][2][0][1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(truncate_kernel(kernel, KernelCut::o_ihw, 1), NumericalError);
}

}  // namespace
}  // namespace rankine::weights
