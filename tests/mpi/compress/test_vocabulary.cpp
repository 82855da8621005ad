// Embedding and output weight: what they read, what their outputs matter, and components of a
// weight whose rows stay with their ranks, against plain sums and LAPACK on whole matrices.
#include <gtest/gtest.h>

#include "compress/decomposition/row_decomposition.hpp"
#include "tiny_calibration.hpp"
#include "weights/forms/clustered.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/making/ridge.hpp"

namespace rankine::compress {
namespace {

using models::Batch;
using torch::Tensor;

TinyModel with_head(bool tied) {
  return tiny_llama({.vocabulary = 150,
                     .width = 12,
                     .heads = 3,
                     .key_heads = 1,
                     .head_size = 4,
                     .hidden = 20,
                     .tied = tied},
                    7);
}

std::string output_name(bool tied) { return tied ? "model.embed_tokens" : "lm_head"; }

int all_teams() { return world().size() > 2 ? 2 : 1; }

/// Sum over all tokens, and of the gradients all that have a target, of what `of_batch` says.
template <class OfBatch>
Tensor sum_over_batches(const TinyCalibration& tiny, OfBatch&& of_batch) {
  const torch::NoGradGuard no_gradients;
  Tensor sum;
  for (const Batch& batch : tiny.batches()) {
    const Tensor found = of_batch(tiny.model.hidden_states(batch.inputs), batch.targets.size(0));
    sum = sum.defined() ? sum + found : found;
  }
  return sum;
}

class Vocabulary : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Tied, Vocabulary, testing::Bool());

TEST_P(Vocabulary, OfATiedModelIsOneWeight) {
  TinyCalibration tiny(with_head(GetParam()), 1, 1, 9);
  const auto slots = tiny.model.outer_slots();
  ASSERT_EQ(slots.size(), GetParam() ? 1U : 2U);
  EXPECT_EQ(slots[0]->name(), output_name(GetParam()));
  EXPECT_EQ(slots[0]->weight().get(), &tiny.model.head());
  EXPECT_TRUE(tiny.model.is_outer(slots[0]->name()));
  EXPECT_FALSE(tiny.model.is_outer(tiny.names[0]));
}

TEST_P(Vocabulary, OutputsAreMadeOfHiddenStates) {
  TinyCalibration tiny(with_head(GetParam()), all_teams(), 3, 9);
  const InputMoments found =
      measure_inputs(tiny.model, world(), tiny.teams, {output_name(GetParam())}, tiny.batches());
  const Tensor expected = sum_over_batches(
      tiny, [](const Tensor& hidden, std::int64_t) { return hidden.t().mm(hidden); });
  EXPECT_LT(distance(whole(found.moments.at(0)), expected), 1e-12);
}

/// Over every target, with the probability that the model gives it.
TEST_P(Vocabulary, OutputGradientsAreThoseExpectedOfTheModelsOwnPredictions) {
  TinyCalibration tiny(with_head(GetParam()), all_teams(), 3, 9);
  const std::vector<std::string> names{tiny.names[0], output_name(GetParam())};
  const Tensor expected = sum_over_batches(tiny, [&](const Tensor& hidden, std::int64_t targets) {
    const Tensor p = torch::softmax(tiny.model.logits(hidden.narrow(0, 0, targets)), 1);
    Tensor sum = torch::zeros({p.size(1)}, torch::kFloat64);
    for (std::int64_t target = 0; target < p.size(1); ++target) {
      Tensor gradients = p.clone();
      gradients.select(1, target).sub_(1);
      sum += (p.select(1, target).unsqueeze(1) * gradients.square()).sum(0);
    }
    return sum;
  });
  for (const Targets targets : {Targets::given, Targets::sampled}) {
    const auto found = measure_output_gradients(tiny.model, world(), tiny.teams, names,
                                                tiny.batches(), {.targets = targets});
    EXPECT_EQ(whole(found[0]).dim(), 2) << "of a layer";
    EXPECT_LT(distance(whole(found[1]), expected), 1e-12);
    const auto alone = measure_output_gradients(tiny.model, world(), tiny.teams, {names[1]},
                                                tiny.batches(), {.targets = targets});
    EXPECT_LT(distance(whole(alone[0]), expected), 1e-12) << "nothing before it has a gradient";
  }
}

/// W' of rank `kept`, whole on every rank.
Tensor truncated(const WeightFactors& factors, std::int64_t rows, std::int64_t kept) {
  return factors.bases->left_rows({0, rows}, kept)
      .mm(factors.bases->right_rows({0, kept}))
      .to(torch::kFloat64);
}

TEST_P(Vocabulary, IsDecomposedOptimallyInEveryNorm) {
  TinyCalibration tiny(with_head(GetParam()), all_teams(), 3, 20);
  const std::string name = output_name(GetParam());
  const auto weight = weight_of(tiny.model, name);
  const Tensor w = weights::exchange_rows(
      tiny.teams.team(), weight->own_rows(),
      weights::range_of(weight->split(), tiny.teams.team().rank()), {0, weight->outputs()});
  for (const auto inputs : {InputWeighting::none, InputWeighting::diagonal, InputWeighting::full})
    for (const bool two_sided : {false, true}) {
      ErrorNorm norm{.inputs = inputs};
      Tensor left = torch::ones({w.size(0), 1}, torch::kFloat64),
             right = torch::eye(w.size(1), torch::kFloat64);
      if (inputs != InputWeighting::none) {
        const bool is_whole = inputs == InputWeighting::full;
        norm.input_moments = measure_inputs(tiny.model, world(), tiny.teams, {name}, tiny.batches(),
                                            is_whole ? MomentPart::whole : MomentPart::diagonal);
        const Tensor moment = whole(norm.input_moments.moments[0]);
        const Tensor g = is_whole ? moment : torch::diag(moment);
        const double ridge =
            weights::ridge_above_rounding(weights::input_ridge, g.size(0), torch::kFloat64);
        right = torch::linalg_cholesky(g + ridge * g.diagonal().mean() * right);
      }
      if (two_sided) {
        norm.output_moments = measure_output_gradients(tiny.model, world(), tiny.teams, {name},
                                                       tiny.batches(), {.targets = Targets::given});
        const Tensor c = whole(norm.output_moments[0]);
        left = (c + norm.ridge * c.mean()).sqrt().unsqueeze(1);
      }
      const auto weighted = [&](const Tensor& error) { return (left * error).mm(right); };
      const Tensor sigma = std::get<1>(torch::linalg_svd(weighted(w), false));
      const WeightFactors found = decompose_by_rows(name, weight, world(), tiny.teams, norm, 0);
      ASSERT_EQ(std::ssize(found.singular_values), sigma.size(0));
      const double size = sigma.norm().item<double>();
      for (std::int64_t i = 0; i < sigma.size(0); ++i)
        EXPECT_NEAR(found.singular_values[static_cast<std::size_t>(i)], sigma[i].item<double>(),
                    1e-10 * size);
      for (const std::int64_t kept : {1, 7, 12}) {
        const Tensor error = weighted(w - truncated(found, w.size(0), kept));
        EXPECT_NEAR(error.norm().item<double>(),
                    sigma.narrow(0, kept, sigma.size(0) - kept).norm().item<double>(), 1e-9 * size);
      }
    }
}

std::shared_ptr<weights::Weight> in_two_factors(const weights::Weight& dense) {
  const auto numbers = [](std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
    torch::manual_seed(seed);
    return torch::randn({rows, columns}, torch::kFloat64);
  };
  const weights::RowSplit& split = dense.split();
  const auto middle = weights::RowSplit::even(5, dense.team().size());
  const int rank = dense.team().rank();
  return weights::make_low_rank(
      dense.team(), split,
      numbers(dense.outputs(), 5, 1).narrow(0, split.first(rank), split.count(rank)),
      numbers(5, dense.inputs(), 2).narrow(0, middle.first(rank), middle.count(rank)),
      torch::kFloat64);
}

std::shared_ptr<weights::Weight> in_clusters(const weights::Weight& dense) {
  const weights::RowSplit& split = dense.split();
  const int rank = dense.team().rank();
  torch::manual_seed(3);
  const Tensor centroids = torch::randn({(dense.outputs() + 1) / 2, 4}, torch::kFloat64);
  const Tensor codes = torch::randint(0, 4, {dense.outputs(), dense.inputs()}, torch::kInt64);
  weights::Outliers outliers{torch::tensor({2, 70, 149}, torch::kInt64),
                             torch::tensor({1, 11, 0}, torch::kInt64),
                             torch::tensor({0.5, -0.7, 0.9}, torch::kFloat64)};
  return std::make_shared<weights::Clustered>(dense.team(), split, centroids,
                                              codes.narrow(0, split.first(rank), split.count(rank)),
                                              std::move(outliers));
}

/// Through look-up and logits, which share the numbers where they are tied.
TEST_P(Vocabulary, IsTrainedInEveryForm) {
  for (const auto make : {in_two_factors, in_clusters}) {
    TinyCalibration tiny(with_head(GetParam()), 1, 1, 12);
    for (const models::Slot* slot : tiny.model.outer_slots())
      tiny.model.replace_weight(slot->name(), make(*slot->weight()));
    const Batch batch = tiny.batches()[0];
    const auto loss = [&] { return tiny.model.losses(batch).sum(); };
    for (const models::Slot* slot : tiny.model.outer_slots()) {
      const auto parameters = slot->weight()->parameters();
      for (const auto& parameter : parameters) parameter.values.set_requires_grad(true);
      loss().backward();
      for (const weights::Parameter& parameter : parameters) {
        SCOPED_TRACE(slot->name() + "." + parameter.name);
        Tensor numbers = parameter.values.detach().view({-1});
        const Tensor gradient = parameter.values.grad().view({-1});
        parameter.values.set_requires_grad(false);
        const std::int64_t length = parameter.values.dim() == 2 ? parameter.values.size(1) : 1;
        const std::int64_t last = parameter.total_rows * length - 1;
        for (const std::int64_t place : {std::int64_t{0}, last / 2, last}) {
          const std::int64_t own = place - parameter.first_row * length;
          const bool is_mine = own >= 0 && own < numbers.size(0);
          constexpr double step = 1e-5;
          const auto shifted_loss = [&](double shift) {
            const torch::NoGradGuard no_gradients;
            if (is_mine) numbers[own].add_(shift);
            return loss().item<double>();
          };
          double difference = shifted_loss(step);
          difference -= shifted_loss(-2 * step);
          shifted_loss(step);
          if (is_mine)
            EXPECT_NEAR(gradient[own].item<double>(), difference / (2 * step), 1e-6) << place;
        }
      }
    }
  }
}

}  // namespace
}  // namespace rankine::compress
