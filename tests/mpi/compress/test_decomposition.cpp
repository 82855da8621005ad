// Weighted decompositions, whole on single ranks and spread over all: singular values, errors of
// truncated matrices and bases against LAPACK on whole matrices.
#include <gtest/gtest.h>

#include <optional>

#include "tiny_calibration.hpp"
#include "weights/making/ridge.hpp"

namespace rankine::compress {
namespace {

using torch::Tensor;

enum class Norm { plain, diagonal, full, two_sided };

/// What a rank may use: everything, or so little that nothing stays whole on one of several ranks.
constexpr double unlimited = 0, least = 1;

ErrorNorm measure(TinyCalibration& tiny, Norm norm) {
  ErrorNorm measured{.inputs = norm == Norm::plain      ? InputWeighting::none
                               : norm == Norm::diagonal ? InputWeighting::diagonal
                                                        : InputWeighting::full};
  if (norm == Norm::plain) return measured;
  measured.input_moments =
      measure_inputs(tiny.model, world(), tiny.teams, tiny.names, tiny.batches(),
                     norm == Norm::diagonal ? MomentPart::diagonal : MomentPart::whole);
  if (norm == Norm::two_sided)
    measured.output_moments =
        measure_output_gradients(tiny.model, world(), tiny.teams, tiny.names, tiny.batches(), {});
  return measured;
}

/// The norm of one weight as whole matrices: errors E count ||rows E columns||_F.
struct WholeNorm {
  Tensor rows;     ///< R^T
  Tensor columns;  ///< L
};

WholeNorm whole_norm(const ErrorNorm& norm, std::size_t w, std::int64_t m, std::int64_t n,
                     torch::ScalarType type) {
  WholeNorm whole{torch::eye(m, torch::kFloat64), torch::eye(n, torch::kFloat64)};
  if (norm.inputs != InputWeighting::none) {
    Tensor g =
        ::rankine::compress::whole(norm.input_moments.moments[norm.input_moments.of_weight[w]]);
    if (norm.inputs == InputWeighting::diagonal) g = torch::diag(g);
    const double part = weights::ridge_above_rounding(norm.input_ridge, n, type);
    g = g + part * g.diagonal().mean() * torch::eye(n, torch::kFloat64);
    const auto [values, vectors] = torch::linalg_eigh(g);
    whole.columns = vectors * values.clamp_min(0).sqrt();
  }
  if (!norm.output_moments.empty()) {
    const Tensor c = ::rankine::compress::whole(norm.output_moments[w]);
    const Tensor raised = c + norm.ridge * c.diagonal().mean() * torch::eye(m, torch::kFloat64);
    whole.rows = torch::linalg_cholesky(raised).t();
  }
  return whole;
}

Tensor whole_weight(const TinyCalibration& tiny, const std::string& name) {
  const auto weight = weight_of(tiny.model, name);
  return weights::exchange_rows(tiny.teams.team(), weight->own_rows(),
                                weights::range_of(weight->split(), tiny.teams.team().rank()),
                                {0, weight->outputs()})
      .to(torch::kFloat64);
}

/// W' of this rank, from both bases, on every rank.
Tensor truncated(const WeightFactors& factors, std::int64_t rows, std::int64_t rank) {
  return factors.bases->left_rows({0, rows}, rank)
      .mm(factors.bases->right_rows({0, rank}))
      .to(torch::kFloat64);
}

/// Everything a decomposition promises of one weight, up to `tolerance` of its norm.
void expect_optimal(const WeightFactors& factors, const Tensor& w, const WholeNorm& norm,
                    double tolerance) {
  SCOPED_TRACE(factors.name);
  const Tensor target = norm.rows.mm(w).mm(norm.columns);
  const Tensor sigma = std::get<1>(torch::linalg_svd(target, false));
  const double size = sigma.norm().item<double>();
  // Where the moment is singular, vanishing values may be left out.
  const std::int64_t known = std::ssize(factors.singular_values);
  ASSERT_LE(known, sigma.size(0));
  for (std::int64_t i = 0; i < sigma.size(0); ++i)
    EXPECT_NEAR(i < known ? factors.singular_values[static_cast<std::size_t>(i)] : 0,
                sigma[i].item<double>(), tolerance * size);
  for (const std::int64_t rank : {std::int64_t{1}, (known + 1) / 2, known}) {
    const Tensor error = norm.rows.mm(w - truncated(factors, w.size(0), rank)).mm(norm.columns);
    const double tail = sigma.narrow(0, rank, sigma.size(0) - rank).norm().item<double>();
    EXPECT_NEAR(error.norm().item<double>(), tail, 10 * tolerance * size) << "rank " << rank;
  }
}

void expect_optimal_decompositions(TinyCalibration& tiny, const ErrorNorm& norm, double tolerance) {
  std::vector<Tensor> matrices;
  std::vector<WholeNorm> norms;
  for (std::size_t w = 0; w < tiny.names.size(); ++w) {
    matrices.push_back(whole_weight(tiny, tiny.names[w]));
    const auto type = weight_of(tiny.model, tiny.names[w])->own_rows().scalar_type();
    norms.push_back(whole_norm(norm, w, matrices[w].size(0), matrices[w].size(1), type));
  }
  for (const double bytes : {unlimited, least}) {
    SCOPED_TRACE(bytes == least ? "spread" : "whole");
    const auto factors = decompose(tiny.model, world(), tiny.teams, tiny.names, norm, bytes);
    for (std::size_t w = 0; w < factors.size(); ++w)
      expect_optimal(factors[w], matrices[w], norms[w], tolerance);
  }
}

void expect_optimal_decompositions(TinyCalibration& tiny, Norm kind, double tolerance) {
  expect_optimal_decompositions(tiny, measure(tiny, kind), tolerance);
}

int all_teams() { return world().size() > 2 ? 2 : 1; }

TEST(Decomposition, IsOptimalInEveryNorm) {
  for (const Norm norm : {Norm::plain, Norm::diagonal, Norm::full, Norm::two_sided}) {
    SCOPED_TRACE(static_cast<int>(norm));
    TinyCalibration tiny(tiny_layers(), 1, 4, 60);
    expect_optimal_decompositions(tiny, norm, 1e-11);
  }
}

TEST(Decomposition, IsOptimalUnderLargeRidges) {
  for (const Norm kind : {Norm::diagonal, Norm::two_sided}) {
    TinyCalibration tiny(tiny_layers(), all_teams(), 4, 60);
    ErrorNorm norm = measure(tiny, kind);
    norm.ridge = 1.5;
    norm.input_ridge = 0.11;
    expect_optimal_decompositions(tiny, norm, 1e-11);
  }
}

TEST(Decomposition, IsOptimalOverTeamsAndWithFewerRowsThanRanks) {
  TinyCalibration tiny(tiniest_layers(), all_teams(), 4, 20);
  expect_optimal_decompositions(tiny, Norm::two_sided, 1e-11);
  TinyCalibration larger(tiny_layers(), all_teams(), 4, 60);
  expect_optimal_decompositions(larger, Norm::two_sided, 1e-11);
}

TEST(Decomposition, DoesNotMindASingularMoment) {
  // 20 tokens, 48 and 150 inputs.
  TinyCalibration tiny(tiny_layers(), 1, 2, 10);
  expect_optimal_decompositions(tiny, Norm::full, 1e-8);
}

TEST(Decomposition, InSinglePrecisionIsGoodToSinglePrecision) {
  TinyCalibration tiny(tiny_layers(), 1, 4, 60, models::Precision::float32);
  expect_optimal_decompositions(tiny, Norm::two_sided, 2e-6);
}

TEST(Decomposition, GivesEachRankTheRowsItAsksFor) {
  TinyCalibration tiny(tiny_layers(), all_teams(), 2, 30);
  for (const double bytes : {unlimited, least}) {
    const auto factors =
        decompose(tiny.model, world(), tiny.teams, tiny.names, measure(tiny, Norm::full), bytes);
    const weights::RowSplit& split = weight_of(tiny.model, tiny.names[0])->split();
    const auto own = leading_factors(tiny.teams.team(), factors[0], split, 7);
    const int rank = tiny.teams.team().rank();
    const Tensor left = factors[0].bases->left_rows({0, 48}, 7);
    const Tensor right = factors[0].bases->right_rows({0, 7});
    EXPECT_TRUE(torch::equal(own.left, left.narrow(0, split.first(rank), split.count(rank))));
    EXPECT_TRUE(torch::equal(
        own.right, right.narrow(0, own.right_split.first(rank), own.right_split.count(rank))));
  }
}

TEST(Decomposition, TakesErrorsForNothingWhereNoGradientComesBack) {
  TinyCalibration tiny(tiny_layers(), 1, 2, 60);
  const ErrorNorm one_sided = measure(tiny, Norm::full);
  ErrorNorm norm = one_sided;
  for (const std::string& name : tiny.names)
    norm.output_moments.emplace_back(tiny.teams.team(), weight_of(tiny.model, name)->outputs(),
                                     torch::kFloat64);
  for (const double bytes : {unlimited, least}) {
    const auto expected = decompose(tiny.model, world(), tiny.teams, tiny.names, one_sided, bytes);
    const auto found = decompose(tiny.model, world(), tiny.teams, tiny.names, norm, bytes);
    for (std::size_t w = 0; w < found.size(); ++w) {
      for (const double value : found[w].singular_values) EXPECT_EQ(value, 0);
      const std::int64_t rows = weight_of(tiny.model, tiny.names[w])->outputs();
      EXPECT_LT(distance(truncated(found[w], rows, 5), truncated(expected[w], rows, 5)), 1e-12);
    }
  }
}

TEST(Decomposition, TakesErrorsForNothingWhereNoInputComes) {
  TinyCalibration tiny(tiny_layers(), 1, 1, 10);
  ErrorNorm norm{.inputs = InputWeighting::full};
  for (std::size_t w = 0; w < tiny.names.size(); ++w) {
    norm.input_moments.of_weight.push_back(w);
    norm.input_moments.moments.emplace_back(
        tiny.teams.team(), weight_of(tiny.model, tiny.names[w])->inputs(), torch::kFloat64);
  }
  for (const double bytes : {unlimited, least}) {
    const auto found = decompose(tiny.model, world(), tiny.teams, tiny.names, norm, bytes);
    for (std::size_t w = 0; w < found.size(); ++w) {
      for (const double value : found[w].singular_values) EXPECT_EQ(value, 0);
      const Tensor whole = whole_weight(tiny, tiny.names[w]);
      const Tensor all = truncated(found[w], whole.size(0), std::min(whole.size(0), whole.size(1)));
      EXPECT_LT(distance(all, whole), 1e-10) << tiny.names[w];
    }
  }
}

TEST(Decomposition, LetsTheWeightSettleWhatASingularMomentLeavesOpen) {
  // Two windows of one token, repeated: the moment of the first layer's inputs has rank 1.
  TinyCalibration tiny(tiny_layers(), 1, 2, 1);
  tiny.windows[1] = tiny.windows[0];
  ErrorNorm norm = measure(tiny, Norm::full);
  std::optional<std::vector<Tensor>> first;
  for (const double bytes : {unlimited, least}) {
    const auto found = decompose(tiny.model, world(), tiny.teams, tiny.names, norm, bytes);
    std::vector<Tensor> approximations;
    for (std::size_t w = 0; w < found.size(); ++w)
      approximations.push_back(
          truncated(found[w], weight_of(tiny.model, tiny.names[w])->outputs(), 6));
    if (!first) first = approximations;
    for (std::size_t w = 0; w < found.size(); ++w)
      EXPECT_LT(distance(approximations[w], (*first)[w]), 1e-6) << tiny.names[w];
  }
}

}  // namespace
}  // namespace rankine::compress
