// Kernels in Tucker form: in the plain norm and in that of second moments, against closed forms and
// a generic optimiser; the ridge of these moments.
#include <gtest/gtest.h>
#include <torch/optim/lbfgs.h>
#include <torch/torch.h>

#include <cmath>

#include "core/errors.hpp"
#include "weights/making/orthonormal_factors.hpp"
#include "weights/making/ridge.hpp"
#include "weights/making/tucker_factorisation.hpp"
#include "weights/making/tucker_fit.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

constexpr KernelShape shape{5, 4, 3, 3};
constexpr TuckerRanks full{5, 4, 3, 3};
const std::vector<TuckerRanks> all_ranks{{2, 2, 3, 3}, {5, 2, 3, 3}, {3, 4, 3, 3}, {1, 1, 3, 3},
                                         {2, 2, 2, 3}, {3, 2, 2, 2}, {5, 4, 3, 1}, full};

Tensor random_kernel() {
  torch::manual_seed(3);
  return torch::randn({5, 4, 3, 3}, torch::kFloat64);
}

/// Eigenvalues over six orders, in a random basis.
Tensor moment(std::int64_t n, std::int64_t rank, int seed) {
  torch::manual_seed(seed);
  const Tensor scales = torch::logspace(0, -3, n, 10, torch::kFloat64);
  const Tensor root = torch::randn({n, n}, torch::kFloat64) * scales;
  return root.narrow(1, 0, rank).matmul(root.narrow(1, 0, rank).t());
}

MomentNorm one_sided() { return {moment(36, 36, 7), {}}; }
MomentNorm two_sided() { return {moment(36, 36, 7), moment(5, 5, 8)}; }

/// With ridges, of the products of their own types.
MomentNorm positive(const MomentNorm& norm) {
  const auto raised = [](const Tensor& moment, double ridge) {
    if (!moment.defined()) return Tensor();
    return made_positive(moment.to(torch::kFloat64, false, /*copy=*/true), ridge,
                         moment.scalar_type());
  };
  return {raised(norm.inputs, input_ridge), raised(norm.outputs, 0)};
}

void expect_form(const TuckerFactors& factors, const TuckerRanks& ranks) {
  EXPECT_EQ(factors.core.sizes(),
            at::IntArrayRef({ranks.output, ranks.input, ranks.height, ranks.width}));
  const auto expect_factor = [](const Tensor& factor, std::int64_t length, std::int64_t rank) {
    ASSERT_EQ(factor.defined(), rank < length);
    if (!factor.defined()) return;
    EXPECT_EQ(factor.sizes(), at::IntArrayRef({length, rank}));
    EXPECT_TRUE(torch::allclose(factor.t().matmul(factor), torch::eye(rank, torch::kFloat64), 1e-10,
                                1e-10));
  };
  expect_factor(factors.output, shape.outputs, ranks.output);
  expect_factor(factors.input, shape.inputs, ranks.input);
  expect_factor(factors.height, shape.height, ranks.height);
  expect_factor(factors.width, shape.width, ranks.width);
}

/// Squares that singular values beyond each rank leave, from rank 0 on.
Tensor tails(const Tensor& matrix) {
  const Tensor squares = torch::linalg_svdvals(matrix).square();
  return torch::cat({squares.flip(0).cumsum(0).flip(0), torch::zeros({1}, torch::kFloat64)});
}

TEST(Ridge, GrowsUntilAMomentIsPositive) {
  const Tensor moment_of_rounding = moment(5, 2, 4);
  moment_of_rounding.diagonal().sub_(1e-7 * moment_of_rounding.diagonal().mean());
  const Tensor raised = moment_of_rounding.clone();
  const Tensor factor = add_ridge(raised, 1e-9);
  EXPECT_TRUE(torch::allclose(factor.matmul(factor.t()), raised));
  const Tensor added = raised - moment_of_rounding;
  const double part = (added[0][0] / moment_of_rounding.diagonal().mean()).item<double>();
  EXPECT_GE(part, 1e-7);
  EXPECT_LE(part, 1.1e-6);
  EXPECT_TRUE(torch::allclose(added, added[0][0] * torch::eye(5, torch::kFloat64)));

  const Tensor positive = moment(5, 5, 4), kept = positive.clone();
  add_ridge(kept, 1e-9);
  EXPECT_TRUE(torch::allclose(
      kept, positive + 1e-9 * positive.diagonal().mean() * torch::eye(5, torch::kFloat64)));
  EXPECT_THROW(add_ridge(torch::full({2, 2}, std::nan(""), torch::kFloat64), 1e-9), NumericalError);
}

TEST(TuckerInThePlainNorm, KeepsWhatItSays) {
  const Tensor kernel = random_kernel();
  for (const TuckerRanks& ranks : all_ranks) {
    const TuckerFactors first = hosvd(kernel, ranks), best = hooi(kernel, ranks);
    expect_form(first, ranks);
    expect_form(best, ranks);
    EXPECT_LE(squared_distance(kernel, best), squared_distance(kernel, first) + 1e-12);
    // The core of orthonormal factors has what is kept of the norm.
    EXPECT_NEAR(squared_distance(kernel, best),
                (kernel.square().sum() - best.core.square().sum()).item<double>(), 1e-10);
  }
  EXPECT_NEAR(squared_distance(kernel, hosvd(kernel, full)), 0, 1e-20);
}

TEST(TuckerInThePlainNorm, OfOneAxisIsAnSvd) {
  const Tensor kernel = random_kernel();
  for (std::int64_t rank = 1; rank <= 4; ++rank) {
    EXPECT_NEAR(squared_distance(kernel, hooi(kernel, {rank, 4, 3, 3})),
                tails(unfolded(kernel, 0))[rank].item<double>(), 1e-10);
    EXPECT_NEAR(squared_distance(kernel, hooi(kernel, {5, rank, 3, 3})),
                tails(unfolded(kernel, 1))[rank].item<double>(), 1e-10);
  }
}

TEST(TuckerInThePlainNorm, BecomesOrthonormalWithoutChange) {
  TuckerFactors factors = hooi(random_kernel(), {2, 2, 2, 3});
  factors.input = factors.input.matmul(torch::tensor({{2.0, 1.0}, {0.5, -3.0}}, torch::kFloat64));
  factors.output = factors.output * 7;
  const TuckerFactors same = orthonormal(factors);
  expect_form(same, {2, 2, 2, 3});
  EXPECT_TRUE(torch::allclose(contract(same), contract(factors), 1e-12, 1e-12));
  // Factors that are nearly orthonormal hardly change.
  TuckerFactors near = same;
  near.input = same.input * (1 + 1e-6);
  EXPECT_TRUE(torch::allclose(orthonormal(near).input, same.input, 1e-12, 1e-12));
}

TEST(TuckerFit, NeverRisesAndHasTheErrorItTells) {
  const Tensor kernel = random_kernel();
  for (const MomentNorm& norm : {one_sided(), two_sided(), MomentNorm{{}, moment(5, 5, 8)}})
    for (const TuckerRanks& ranks : all_ranks) {
      const WeightedKernel weighted(kernel, positive(norm));
      const TuckerFit fit = weighted.fit(ranks, 20);
      expect_form(fit.factors, ranks);
      for (std::size_t sweep = 1; sweep < fit.errors.size(); ++sweep)
        EXPECT_LE(fit.errors[sweep], fit.errors[sweep - 1] * (1 + 1e-9));
      EXPECT_NEAR(fit.error(), weighted.squared_error(contract(fit.factors)),
                  1e-9 * weighted.squared_norm());
    }
}

TEST(TuckerFit, AtFullRankIsTheKernel) {
  const Tensor kernel = random_kernel();
  for (const MomentNorm& norm : {MomentNorm{}, one_sided(), two_sided()}) {
    const TuckerFit fit = WeightedKernel(kernel, positive(norm)).fit(full);
    EXPECT_TRUE(torch::allclose(contract(fit.factors), kernel.flatten(1), 1e-6, 1e-6));
  }
}

TEST(TuckerFit, OfTheOutputsIsReducedRankRegression) {
  const Tensor kernel = random_kernel();
  const MomentNorm norm = two_sided();
  const WeightedKernel weighted(kernel, positive(norm));
  const Tensor whitened =
      torch::linalg_cholesky(norm.outputs)
          .t()
          .matmul(kernel.flatten(1))
          .matmul(torch::linalg_cholesky(norm.inputs + 1e-6 * norm.inputs.diagonal().mean() *
                                                           torch::eye(36, torch::kFloat64)));
  const Tensor expected = tails(whitened);
  const Tensor errors = weighted.errors({4});
  EXPECT_TRUE(torch::allclose(errors[0], expected, 1e-8, 1e-8 * weighted.squared_norm()));
  for (std::int64_t rank = 1; rank <= 5; ++rank)
    EXPECT_NEAR(weighted.fit({rank, 4, 3, 3}).error(), expected[rank].item<double>(),
                1e-8 * weighted.squared_norm());
}

/// The least error that L-BFGS finds from random factors.
double searched_error(const WeightedKernel& weighted, const Tensor& kernel, const MomentNorm& norm,
                      const TuckerRanks& ranks) {
  double least = weighted.squared_norm();
  for (int seed = 0; seed < 3; ++seed) {
    torch::manual_seed(seed);
    const auto random = [](at::IntArrayRef sizes) {
      return torch::randn(sizes, torch::kFloat64).requires_grad_(true);
    };
    TuckerFactors factors{random({ranks.output, ranks.input, ranks.height, ranks.width}),
                          random({5, ranks.output}), random({4, ranks.input}),
                          random({3, ranks.height}), random({3, ranks.width})};
    torch::optim::LBFGS optimiser(
        {factors.core, factors.output, factors.input, factors.height, factors.width},
        torch::optim::LBFGSOptions(1).max_iter(150).tolerance_change(1e-14).line_search_fn(
            "strong_wolfe"));
    optimiser.step([&] {
      optimiser.zero_grad();
      const Tensor error = kernel.flatten(1) - contract(factors);
      Tensor loss = (error * norm.outputs.matmul(error).matmul(norm.inputs)).sum();
      loss.backward();
      return loss;
    });
    const torch::NoGradGuard no_gradients;
    least = std::min(least, weighted.squared_error(contract(factors)));
  }
  return least;
}

TEST(TuckerFit, IsAsGoodAsManySearches) {
  const Tensor kernel = random_kernel();
  // Moments whose eigenvalues a generic optimiser can cope with.
  const MomentNorm norm{moment(36, 36, 7) + 0.3 * torch::eye(36, torch::kFloat64),
                        moment(5, 5, 8) + 0.3 * torch::eye(5, torch::kFloat64)};
  const WeightedKernel weighted(kernel, positive(norm));
  for (const TuckerRanks& ranks : {TuckerRanks{2, 2, 3, 3}, {5, 2, 3, 3}, {3, 2, 2, 2}}) {
    const double found = weighted.fit(ranks, 200).error();
    EXPECT_LE(found, 1.01 * searched_error(weighted, kernel, norm, ranks));
  }
}

TEST(TuckerFit, ErrorsOfAllRanksAreNearlyThoseOfFits) {
  const Tensor kernel = random_kernel();
  const WeightedKernel weighted(kernel, positive(two_sided()));
  const std::vector<std::int64_t> input_ranks{1, 2, 3, 4};
  const Tensor errors = weighted.errors(input_ranks);
  ASSERT_EQ(errors.sizes(), at::IntArrayRef({4, 6}));
  EXPECT_NEAR(errors[3][5].item<double>(), 0, 1e-9 * weighted.squared_norm());
  for (std::int64_t k = 0; k < 4; ++k) {
    EXPECT_EQ(errors[k][0].item<double>(), weighted.squared_norm());
    for (std::int64_t output = 1; output <= 5; ++output) {
      const double fitted =
          weighted.fit({output, input_ranks[static_cast<std::size_t>(k)], 3, 3}, 20).error();
      const double told = errors[k][output].item<double>();
      EXPECT_LE(fitted, told + 0.02 * weighted.squared_norm());
      EXPECT_LE(told, 1.5 * fitted + 0.02 * weighted.squared_norm());
      EXPECT_LE(told, errors[k][output - 1].item<double>());
    }
  }
}

TEST(TuckerFit, TakesMomentsThatSayLittleOrNothing) {
  const Tensor kernel = random_kernel();
  const TuckerRanks ranks{2, 2, 3, 3};
  const double plain = squared_distance(kernel, hooi(kernel, ranks));
  const MomentNorm nothing{torch::zeros({36, 36}, torch::kFloat64),
                           torch::zeros({5, 5}, torch::kFloat64)};
  for (const MomentNorm& norm : {MomentNorm{}, nothing})
    EXPECT_NEAR(WeightedKernel(kernel, positive(norm)).fit(ranks, 50).error(), plain, 0.01 * plain);
  // Of few patches, and of float32 that rounding has made indefinite.
  for (const std::int64_t rank : {1, 6})
    for (const auto type : {torch::kFloat32, torch::kFloat64}) {
      const WeightedKernel weighted(kernel, positive({moment(36, rank, 7).to(type), {}}), type);
      const TuckerFit fit = weighted.fit({5, 3, 3, 3});
      EXPECT_LT(fit.error(), weighted.squared_norm());
      EXPECT_TRUE(contract(fit.factors).isfinite().all().item<bool>());
    }
}

TEST(TuckerFit, OfZerosIsZeros) {
  for (const MomentNorm& norm : {MomentNorm{}, two_sided()})
    for (const TuckerRanks& ranks : all_ranks) {
      const WeightedKernel weighted(torch::zeros({5, 4, 3, 3}), positive(norm));
      const TuckerFit fit = weighted.fit(ranks);
      expect_form(fit.factors, ranks);
      EXPECT_EQ(contract(fit.factors).abs().sum().item<double>(), 0);
      EXPECT_EQ(fit.error(), 0);
    }
}

TEST(TuckerFit, OfDeadChannelsIsFinite) {
  const Tensor kernel = random_kernel();
  kernel.narrow(0, 1, 2).zero_();
  kernel.narrow(1, 2, 1).zero_();
  MomentNorm norm = two_sided();
  norm.inputs.narrow(0, 18, 9).zero_();
  norm.inputs.narrow(1, 18, 9).zero_();
  const TuckerFit fit = WeightedKernel(kernel, positive(norm)).fit({3, 3, 3, 3});
  EXPECT_TRUE(torch::allclose(contract(fit.factors), kernel.flatten(1), 1e-5, 1e-5));
}

TEST(TuckerNumbers, CountNoFactorOfAFullRank) {
  constexpr KernelShape layer{64, 32, 3, 3};
  EXPECT_EQ(tucker_numbers(layer, {16, 8, 3, 3}), 16 * 8 * 9 + 64 * 16 + 32 * 8);
  EXPECT_EQ(tucker_numbers(layer, {64, 8, 3, 2}), 64 * 8 * 6 + 32 * 8 + 3 * 2);
  EXPECT_EQ(tucker_numbers(layer, {64, 32, 3, 3}), layer.dense_numbers());
}

}  // namespace
}  // namespace rankine::weights
