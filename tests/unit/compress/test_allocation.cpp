// Ranks within a budget: storage, uniform and additive allocation, and FermiGrad on a loss that is
// additive, whose optimum the additive allocation knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include "compress/allocation/allocation.hpp"
#include "compress/allocation/depth_bias.hpp"
#include "compress/allocation/fermi.hpp"
#include "compress/allocation/knapsack.hpp"
#include "core/errors.hpp"

namespace rankine::compress {
namespace {

/// A falling spectrum: size * exp(-rate i / full rank) with some noise.
Candidate falling(MatrixShape shape, double size, double rate, std::mt19937_64& engine) {
  std::uniform_real_distribution<double> noise(0.95, 1.05);
  Candidate candidate{"w", shape, {}};
  const auto full = static_cast<double>(shape.full_rank());
  for (std::int64_t i = 0; i < shape.full_rank(); ++i)
    candidate.singular_values.push_back(size * noise(engine) *
                                        std::exp(-rate * static_cast<double>(i) / full));
  std::sort(candidate.singular_values.rbegin(), candidate.singular_values.rend());
  return candidate;
}

std::vector<Candidate> some_matrices() {
  std::mt19937_64 engine(7);
  return {falling({40, 40}, 1, 2, engine), falling({60, 30}, 3, 6, engine),
          falling({20, 50}, 0.4, 1, engine), falling({10, 40}, 2, 4, engine)};
}

std::vector<Candidate> twenty_matrices() {
  std::mt19937_64 engine(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto size = [&] { return 10 + static_cast<std::int64_t>(50 * uniform(engine)); };
  std::vector<Candidate> matrices;
  for (int i = 0; i < 20; ++i) {
    const MatrixShape shape{size(), size()};
    const double scale = 0.3 + 3 * uniform(engine), rate = 0.5 + 6 * uniform(engine);
    matrices.push_back(falling(shape, scale, rate, engine));
  }
  return matrices;
}

TEST(DepthBias, FallsFromTheFirstLayerToTheLast) {
  using testing::ElementsAre;
  EXPECT_THAT(depth_factors(5, 2, 0), ElementsAre(3, 2.5, 2, 1.5, 1));
  EXPECT_THAT(depth_factors(4, 0, 1), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(depth_factors(1, 7, 1), ElementsAre(1));
  // 1 + 1/2 + 1/3 = 11/6 in front of the last of four.
  const std::vector<double> harmonic = depth_factors(4, 11, 1);
  for (std::size_t l = 0; l < 4; ++l)
    EXPECT_NEAR(harmonic[l], std::vector<double>({12, 6, 3, 1})[l], 1e-12);
}

TEST(Storage, PivotedSavesTheSquareOfTheRank) {
  const MatrixShape shape{576, 1536};
  EXPECT_EQ(stored_numbers(FactorGauge::free, shape, 100), 100 * 2112);
  EXPECT_EQ(stored_numbers(FactorGauge::pivoted, shape, 100), 100 * 2112 - 100 * 100);
  EXPECT_EQ(stored_numbers(FactorGauge::pivoted, shape, 576), 576 * 1536);
  EXPECT_EQ(stored_numbers(FactorGauge::free, shape, 576), 576 * 1536);
}

TEST(Storage, LargestRankOfASquareMatrixAtFourFifths) {
  const MatrixShape shape{576, 576};
  const std::int64_t budget = 576 * 576 * 8 / 10;
  EXPECT_EQ(largest_rank(FactorGauge::free, shape, budget), 230);
  EXPECT_EQ(largest_rank(FactorGauge::pivoted, shape, budget), 318);
  EXPECT_EQ(largest_rank(FactorGauge::free, shape, 576 * 576), 576);
}

TEST(Allocation, UniformRanksStayWithinTheRatioOfEachMatrix) {
  const auto matrices = some_matrices();
  for (const FactorGauge gauge : {FactorGauge::free, FactorGauge::pivoted}) {
    const auto ranks = uniform_ranks(matrices, gauge, 0.6);
    for (std::size_t m = 0; m < matrices.size(); ++m) {
      const double share = 0.6 * static_cast<double>(matrices[m].shape.dense_numbers());
      EXPECT_LE(static_cast<double>(stored_numbers(gauge, matrices[m].shape, ranks[m])), share);
      EXPECT_GT(static_cast<double>(stored_numbers(gauge, matrices[m].shape, ranks[m] + 1)), share);
    }
  }
}

TEST(Allocation, ARatioBelowRankOneIsRefused) {
  EXPECT_THROW(require_reachable(some_matrices(), FactorGauge::free, 0.01), InputError);
  EXPECT_NO_THROW(require_reachable(some_matrices(), FactorGauge::free, 0.2));
}

/// The least squared error of any ranks within the budget, by dynamic programming over numbers.
double best_tail(const std::vector<Candidate>& matrices, FactorGauge gauge, std::int64_t budget) {
  constexpr double none = std::numeric_limits<double>::infinity();
  std::vector<double> best(static_cast<std::size_t>(budget) + 1, none);
  best[0] = 0;
  for (const Candidate& matrix : matrices) {
    std::vector<double> next(best.size(), none);
    const std::vector<double> tails = matrix.tails();
    for (std::int64_t rank = 1; rank <= matrix.shape.full_rank(); ++rank) {
      if (rank % matrix.multiple_of != 0 && rank != matrix.shape.full_rank()) continue;
      const std::int64_t cost = stored_numbers(gauge, matrix.shape, rank);
      for (std::int64_t used = cost; used <= budget; ++used)
        next[static_cast<std::size_t>(used)] = std::min(
            next[static_cast<std::size_t>(used)],
            best[static_cast<std::size_t>(used - cost)] + tails[static_cast<std::size_t>(rank)]);
    }
    best = next;
  }
  return *std::min_element(best.begin(), best.end());
}

TEST(Allocation, AdditiveRanksAreTheOptimum) {
  for (const auto& matrices : {some_matrices(), twenty_matrices()})
    for (const FactorGauge gauge : {FactorGauge::free, FactorGauge::pivoted})
      for (const double ratio : {0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}) {
        const std::int64_t budget = budget_of(matrices, ratio);
        const auto ranks = additive_ranks(matrices, gauge, budget);
        EXPECT_LE(stored_numbers(matrices, gauge, ranks), budget);
        EXPECT_NEAR(total_tail(matrices, ranks) / best_tail(matrices, gauge, budget), 1, 1e-9)
            << matrices.size() << " matrices, ratio " << ratio;
      }
}

std::vector<Candidate> in_multiples(std::vector<Candidate> matrices, std::int64_t multiple) {
  for (Candidate& matrix : matrices) matrix.multiple_of = multiple;
  return matrices;
}

void expect_multiples(const std::vector<Candidate>& matrices,
                      const std::vector<std::int64_t>& ranks) {
  for (std::size_t m = 0; m < ranks.size(); ++m)
    EXPECT_TRUE(ranks[m] % matrices[m].multiple_of == 0 || ranks[m] == matrices[m].full_rank())
        << ranks[m];
}

TEST(Allocation, MultiplesAreTheOptimumAmongMultiples) {
  for (const std::int64_t multiple : {4, 8, 100})
    for (const FactorGauge gauge : {FactorGauge::free, FactorGauge::pivoted})
      for (const double ratio : {0.6, 0.8, 0.95}) {
        const auto matrices = in_multiples(twenty_matrices(), multiple);
        const std::int64_t budget = budget_of(matrices, ratio);
        if (multiple == 100) {  // full ranks alone are no less than all numbers
          EXPECT_THROW(require_reachable(matrices, gauge, ratio), InputError);
          continue;
        }
        const auto ranks = additive_ranks(matrices, gauge, budget);
        expect_multiples(matrices, ranks);
        EXPECT_LE(stored_numbers(matrices, gauge, ranks), budget);
        EXPECT_NEAR(total_tail(matrices, ranks) / best_tail(matrices, gauge, budget), 1, 1e-9)
            << "multiples of " << multiple << ", ratio " << ratio;
        expect_multiples(matrices, uniform_ranks(matrices, gauge, ratio));
      }
}

/// The least loss of any choice within the budget.
double best_loss(const std::vector<std::vector<Option>>& options, std::int64_t budget,
                 std::size_t from = 0) {
  if (from == options.size()) return 0;
  double best = std::numeric_limits<double>::infinity();
  for (const Option& option : options[from])
    if (option.numbers <= budget)
      best = std::min(best, option.loss + best_loss(options, budget - option.numbers, from + 1));
  return best;
}

TEST(Options, AreChosenAsWellAsByTryingAll) {
  std::mt19937_64 engine(1);
  std::uniform_int_distribution<std::int64_t> numbers(1, 9);
  std::uniform_real_distribution<double> loss(0, 1);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<std::vector<Option>> options(5);
    for (auto& of_matrix : options) {
      of_matrix.push_back({0, 1, 1});  // fits in any case
      for (std::int64_t i = 1; i < 5; ++i) of_matrix.push_back({i, numbers(engine), loss(engine)});
    }
    const std::int64_t budget = 5 + trial % 20;
    for (const double price : {0.0, 0.05, 0.3}) {
      const auto chosen = choose_options(options, budget, price, {0, 0, 0, 0, 0});
      std::int64_t used = 0;
      double total = 0;
      for (std::size_t m = 0; m < chosen.size(); ++m) {
        used += options[m][chosen[m]].numbers;
        total += options[m][chosen[m]].loss;
      }
      EXPECT_LE(used, budget);
      EXPECT_NEAR(total, best_loss(options, budget), 1e-12);
    }
  }
}

TEST(Allocation, TheWholeBudgetKeepsEveryMatrixDense) {
  const auto matrices = some_matrices();
  for (const FactorGauge gauge : {FactorGauge::free, FactorGauge::pivoted}) {
    const auto ranks = additive_ranks(matrices, gauge, budget_of(matrices, 1));
    EXPECT_EQ(ranks, (std::vector<std::int64_t>{40, 30, 20, 10}));
  }
}

/// The same candidates with what singular values and gauge say written out as curves.
std::vector<Candidate> with_curves(std::vector<Candidate> matrices, FactorGauge gauge) {
  for (Candidate& matrix : matrices) {
    const std::vector<double> tails = matrix.tails();
    for (std::int64_t rank = 0; rank < matrix.shape.full_rank(); ++rank) {
      const std::int64_t numbers = stored_numbers(gauge, matrix.shape, rank);
      if (numbers >= matrix.shape.dense_numbers()) break;
      matrix.curve.push_back({numbers, tails[static_cast<std::size_t>(rank)]});
    }
    matrix.curve.push_back({matrix.shape.dense_numbers(), 0});
    matrix.singular_values.clear();
  }
  return matrices;
}

TEST(Allocation, CurvesOfOtherFormsAreTreatedLikeSingularValues) {
  const auto matrices = some_matrices();
  for (const FactorGauge gauge : {FactorGauge::free, FactorGauge::pivoted}) {
    const auto curves = with_curves(matrices, gauge);
    for (const double ratio : {0.4, 0.8}) {
      const std::int64_t budget = budget_of(matrices, ratio);
      const auto ranks = additive_ranks(curves, FactorGauge::free, budget);
      auto expected = additive_ranks(matrices, gauge, budget);
      EXPECT_NEAR(total_tail(curves, ranks), total_tail(matrices, expected), 1e-12);
      for (std::size_t m = 0; m < curves.size(); ++m)  // the dense matrix is the last point
        expected[m] = std::min(expected[m], curves[m].full_rank());
      EXPECT_EQ(ranks, expected) << ratio;
      EXPECT_LE(stored_numbers(curves, FactorGauge::free, ranks), budget);
    }
  }
}

/// Bytes and errors of 1, 2, 4, ... shared values: no matrix can be left as it is.
std::vector<Candidate> shared_values(std::mt19937_64& engine, int matrices, int most_bits) {
  std::uniform_int_distribution<std::int64_t> entries(10, 40);
  std::uniform_real_distribution<double> size(0.1, 10), fall(1.5, 5);
  std::vector<Candidate> candidates;
  for (int m = 0; m < matrices; ++m) {
    Candidate candidate{"w", {entries(engine), 8}, {}};
    double error = size(engine);
    for (int bits = 0; bits <= most_bits; ++bits, error /= fall(engine))
      candidate.curve.push_back({candidate.shape.rows * bits + (2 << bits), error});
    candidates.push_back(candidate);
  }
  return candidates;
}

/// The least of all choices within the budget.
double least_of_all(const std::vector<Candidate>& candidates, std::int64_t budget,
                    std::vector<std::int64_t> ranks = {}) {
  if (ranks.size() == candidates.size())
    return stored_numbers(candidates, FactorGauge::free, ranks) <= budget
               ? total_tail(candidates, ranks)
               : std::numeric_limits<double>::infinity();
  double least = std::numeric_limits<double>::infinity();
  const std::int64_t most = candidates[ranks.size()].full_rank();
  ranks.push_back(0);
  for (ranks.back() = 1; ranks.back() <= most; ++ranks.back())
    least = std::min(least, least_of_all(candidates, budget, ranks));
  return least;
}

TEST(Allocation, BytesOfSharedValuesGoWhereTheyLowerTheErrorMost) {
  std::mt19937_64 engine(5);
  for (int trial = 0; trial < 20; ++trial) {
    const auto candidates = shared_values(engine, 5, 4);
    for (const std::int64_t same : {1, 2, 3, 4}) {
      const std::vector<std::int64_t> uniform(candidates.size(), same);
      const std::int64_t budget = stored_numbers(candidates, FactorGauge::free, uniform);
      const auto bits = additive_ranks(candidates, FactorGauge::free, budget);
      EXPECT_LE(stored_numbers(candidates, FactorGauge::free, bits), budget);
      EXPECT_LE(total_tail(candidates, bits), total_tail(candidates, uniform));
      EXPECT_NEAR(total_tail(candidates, bits), least_of_all(candidates, budget), 1e-12);
    }
  }
}

/// Of sum_i sigma_i^2 (1 - f_i)^2.
MaskGradient additive_gradient(const std::vector<Candidate>& matrices) {
  return [&](std::int64_t, const Components& masks) {
    Components gradient = masks;
    for (std::size_t m = 0; m < masks.size(); ++m)
      for (std::size_t i = 0; i < masks[m].size(); ++i)
        gradient[m][i] = -2 * std::pow(matrices[m].singular_values[i], 2) * (1 - masks[m][i]);
    return gradient;
  };
}

TEST(Fermi, ReachesTheOptimumOfAnAdditiveLossFromUniformRanks) {
  for (const auto& matrices : {some_matrices(), twenty_matrices()})
    for (const double ratio : {0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) {
      const std::int64_t budget = budget_of(matrices, ratio);
      const auto uniform = uniform_ranks(matrices, FactorGauge::pivoted, ratio);
      const auto ranks =
          fermi_ranks(matrices, FactorGauge::pivoted, budget, uniform,
                      {.steps = 400, .learning_rate_first = 0.02, .learning_rate_last = 0.001},
                      additive_gradient(matrices));
      EXPECT_LE(stored_numbers(matrices, FactorGauge::pivoted, ranks), budget);
      const double optimum = best_tail(matrices, FactorGauge::pivoted, budget);
      EXPECT_LE(total_tail(matrices, ranks), 1.005 * optimum) << "ratio " << ratio;
      EXPECT_GT(total_tail(matrices, uniform), 1.2 * optimum) << "the test has something to find";
    }
}

TEST(Fermi, StaysAtTheOptimumOfAnAdditiveLoss) {
  for (const auto& matrices : {some_matrices(), twenty_matrices()})
    for (const FactorGauge gauge : {FactorGauge::free, FactorGauge::pivoted})
      for (const double ratio : {0.4, 0.6, 0.8, 0.95}) {
        const std::int64_t budget = budget_of(matrices, ratio);
        const auto first = additive_ranks(matrices, gauge, budget);
        const auto ranks =
            fermi_ranks(matrices, gauge, budget, first, {.steps = 30}, additive_gradient(matrices));
        EXPECT_LE(stored_numbers(matrices, gauge, ranks), budget);
        EXPECT_LE(total_tail(matrices, ranks), 1.005 * total_tail(matrices, first))
            << "ratio " << ratio;
      }
}

TEST(Fermi, RanksAreMultiplesWithinTheBudget) {
  for (const std::int64_t multiple : {3, 8})
    for (const double ratio : {0.6, 0.8}) {
      const auto matrices = in_multiples(twenty_matrices(), multiple);
      const std::int64_t budget = budget_of(matrices, ratio);
      const auto first = additive_ranks(matrices, FactorGauge::pivoted, budget);
      const auto ranks = fermi_ranks(matrices, FactorGauge::pivoted, budget, first, {.steps = 100},
                                     additive_gradient(matrices));
      expect_multiples(matrices, ranks);
      EXPECT_LE(stored_numbers(matrices, FactorGauge::pivoted, ranks), budget);
      EXPECT_LE(total_tail(matrices, ranks), 1.02 * total_tail(matrices, first));
    }
}

TEST(Fermi, LearnsTheImportanceOfComponents) {
  const auto matrices = some_matrices();
  Importance importance;
  for (std::int64_t step = 0; step < 5; ++step) {
    Components masks;
    for (const Candidate& matrix : matrices) {
      masks.emplace_back();
      for (std::size_t i = 0; i < matrix.singular_values.size(); ++i)
        masks.back().push_back(1 / (1 + std::exp(0.2 * (static_cast<double>(i) - 8))));
    }
    importance.observe(masks, additive_gradient(matrices)(step, masks));
  }
  const Components found = importance.estimate();
  for (std::size_t m = 0; m < matrices.size(); ++m)
    for (std::size_t i = 0; i < found[m].size(); ++i) {
      const double square = std::pow(matrices[m].singular_values[i], 2);
      EXPECT_NEAR(found[m][i], square, 1e-9 * square);
    }
}

TEST(Fermi, MasksKeepTheBudgetInEveryStep) {
  const auto matrices = some_matrices();
  const std::int64_t budget = budget_of(matrices, 0.6);
  const auto additive = additive_gradient(matrices);
  Components first, last;
  const auto watched = [&](std::int64_t step, const Components& masks) {
    (step == 0 ? first : last) = masks;
    double cost = 0;
    for (std::size_t m = 0; m < masks.size(); ++m) {
      double rank = 0;
      for (const double f : masks[m]) rank += f;
      cost += soft_cost(FactorGauge::free, matrices[m].shape, rank).numbers;
    }
    EXPECT_NEAR(cost, static_cast<double>(budget), 1e-6 * static_cast<double>(budget));
    return additive(step, masks);
  };
  const auto uniform = uniform_ranks(matrices, FactorGauge::free, 0.6);
  const auto ranks =
      fermi_ranks(matrices, FactorGauge::free, budget, uniform, {.steps = 20}, watched);
  EXPECT_LT(total_tail(matrices, ranks), 0.99 * total_tail(matrices, uniform));
  // A colder mask is steeper, but of the same sum unless its matrix gained or lost.
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    const auto sum = [&](const Components& masks) {
      return std::accumulate(masks[m].begin(), masks[m].end(), 0.0);
    };
    EXPECT_GT(std::abs(sum(last) - sum(first)), 0.1) << "matrix " << m;
  }
}

TEST(Fermi, GoesOnWhereItWasStopped) {
  const auto matrices = some_matrices();
  const std::int64_t budget = budget_of(matrices, 0.6);
  const auto first = uniform_ranks(matrices, FactorGauge::pivoted, 0.6);
  const auto run = [&](const FermiCheckpoint& checkpoint) {
    return fermi_ranks(matrices, FactorGauge::pivoted, budget, first, {.steps = 30},
                       additive_gradient(matrices), checkpoint);
  };
  std::vector<FermiState> states;
  const auto straight = run({.keep = [&](const FermiState& state) { states.push_back(state); }});
  ASSERT_EQ(states.size(), 30u);
  EXPECT_NE(straight, first);
  for (const std::size_t kept : {0u, 12u, 29u}) EXPECT_EQ(run({.from = states[kept]}), straight);
}

}  // namespace
}  // namespace rankine::compress
