// Gradients of the loss through a whole model: against finite differences of the loss and against
// the same model on one rank; the losses themselves against plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "../../plain_transformer.hpp"
#include "models/language/language_model.hpp"
#include "models/language/losses.hpp"
#include "models/language/sampled_tokens.hpp"
#include "parallel/teams.hpp"
#include "tiny_folder.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::models {
namespace {

using torch::Tensor;

Tensor mean_loss(const LanguageModel& model, const std::vector<std::int64_t>& ids) {
  const Tensor sequence = as_tensor(ids);
  const std::int64_t targets = sequence.size(0) - 1;
  const Tensor hidden = model.hidden_states(sequence).narrow(0, 0, targets);
  return token_losses(model, hidden, sequence.narrow(0, 1, targets)).mean();
}

std::vector<double> plain_losses(const TinyModel& tiny, const std::vector<std::int64_t>& ids) {
  const auto logits = PlainTransformer(tiny).logits(ids);
  std::vector<double> losses;
  for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
    double sum = 0;
    for (const double logit : logits[t]) sum += std::exp(logit);
    losses.push_back(std::log(sum) - logits[t][static_cast<std::size_t>(ids[t + 1])]);
  }
  return losses;
}

void require_gradients(const LanguageModel& model) {
  for (const weights::Parameter& parameter : model.parameters())
    parameter.values.requires_grad_(true);
}

/// Gradients of the mean loss, summed over sequences.
void backward(const LanguageModel& model, const std::vector<std::vector<std::int64_t>>& texts) {
  for (const auto& ids : texts) mean_loss(model, ids).backward();
}

TEST(Losses, EqualPlainLoops) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    const auto model = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
    const auto ids = random_ids(10, tiny.config.vocabulary_size, 11);
    const std::vector<double> expected = plain_losses(tiny, ids);
    const std::vector<std::int64_t> targets(ids.begin() + 1, ids.end());
    const auto parts =
        score_tokens(model, model.hidden_states(as_tensor(ids)).narrow(0, 0, 9), targets);
    double sum = 0;
    for (std::size_t t = 0; t < parts.size(); ++t) {
      EXPECT_NEAR(parts[t].negative_log_likelihood(), expected[t], 1e-11);
      sum += expected[t] / 9;
    }
    EXPECT_NEAR(mean_loss(model, ids).item<double>(), sum, 1e-11);
  }
}

TEST(Losses, DoNotDependOnTheChunksOfALargeVocabulary) {
  const TinyModel tiny = tiny_llama({.vocabulary = 300'000,
                                     .width = 2,
                                     .layers = 1,
                                     .heads = 1,
                                     .key_heads = 1,
                                     .head_size = 2,
                                     .hidden = 2},
                                    9);
  const TinyFolder folder(tiny);
  const auto model = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
  ASSERT_LT(tokens_per_chunk(model.head().split().count(0)), 120);
  const auto ids = random_ids(121, 300'000, 12);
  const std::vector<double> expected = plain_losses(tiny, ids);
  const std::vector<std::int64_t> targets(ids.begin() + 1, ids.end());
  const auto parts =
      score_tokens(model, model.hidden_states(as_tensor(ids)).narrow(0, 0, 120), targets);
  for (std::size_t t = 0; t < parts.size(); ++t)
    EXPECT_NEAR(parts[t].negative_log_likelihood(), expected[t], 1e-9);
}

/// Moves one parameter by `step` along a direction that all ranks agree on.
void move(Tensor parameter, const Tensor& direction, double step) {
  const torch::NoGradGuard no_gradients;
  parameter.add_(direction, step);
}

TEST(Gradients, EqualFiniteDifferences) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    const auto model = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
    require_gradients(model);
    const auto ids = random_ids(9, tiny.config.vocabulary_size, 13);
    backward(model, {ids});
    for (const weights::Parameter& parameter : model.parameters()) {
      const bool in_row_blocks = parameter.placement == weights::Placement::rows;
      torch::manual_seed(17);  // replicated parameters move alike on all ranks
      const Tensor direction = torch::randn_like(parameter.values.detach());
      const double slope = parameter.values.grad().defined()
                               ? (parameter.values.grad() * direction).sum().item<double>()
                               : 0;
      const double whole_slope = in_row_blocks ? world().sum(slope) : slope;
      const auto loss_at = [&](double step) {
        move(parameter.values, direction, step);
        const double loss = mean_loss(model, ids).item<double>();
        move(parameter.values, direction, -step);
        return loss;
      };
      constexpr double step = 1e-5;  // central differences of fourth order
      const double difference =
          (8 * (loss_at(step) - loss_at(-step)) - (loss_at(2 * step) - loss_at(-2 * step))) /
          (12 * step);
      EXPECT_NEAR(whole_slope, difference, 1e-9 * (1 + std::abs(whole_slope))) << parameter.name;
    }
  }
}

TEST(Gradients, EqualThoseOfOneRank) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const auto ids = random_ids(12, tiny.config.vocabulary_size, 19);
  const auto shared = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
  const parallel::Communicator alone = world().split(world().rank(), 0);
  const auto single = LanguageModel::read(world(), alone, folder.path(), Precision::float64);
  for (const LanguageModel* model : {&shared, &single}) {
    require_gradients(*model);
    backward(*model, {ids});
  }
  std::map<std::string, Tensor> whole;
  for (const auto& parameter : single.parameters()) whole[parameter.name] = parameter.values.grad();
  std::map<std::string, weights::RowSplit> splits;
  for (const Slot* slot : shared.slots())
    splits.emplace(slot->name() + ".weight", slot->weight()->split());
  for (const char* name : {"model.embed_tokens", "lm_head"})
    splits.emplace(std::string(name) + ".weight", shared.head().split());
  for (const auto& parameter : shared.parameters()) {
    Tensor expected = whole.at(parameter.name);
    if (splits.contains(parameter.name)) {
      const weights::RowSplit& split = splits.at(parameter.name);
      expected = expected.narrow(0, split.first(world().rank()), split.count(world().rank()));
    }
    if (expected.numel() == 0) continue;
    EXPECT_LT((parameter.values.grad() - expected).abs().max().item<double>(), 1e-12)
        << parameter.name;
  }
}

TEST(Gradients, OfTeamsAddUp) {
  if (world().size() % 2 != 0) return;  // peers hold the same rows in teams of one size only
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const parallel::Teams teams(world(), 2);
  const parallel::Communicator peers = world().split(teams.team().rank(), teams.index());
  const std::vector<std::vector<std::int64_t>> texts{random_ids(8, 37, 23), random_ids(11, 37, 29)};
  const auto model = LanguageModel::read(world(), teams.team(), folder.path(), Precision::float64);
  const auto same = LanguageModel::read(world(), teams.team(), folder.path(), Precision::float64);
  for (const LanguageModel* one : {&model, &same}) require_gradients(*one);
  backward(model, {texts[static_cast<std::size_t>(teams.index())]});
  backward(same, texts);
  std::vector<Tensor> gradients;
  for (const auto& parameter : model.parameters()) gradients.push_back(parameter.values.grad());
  weights::sum_in_place(peers, gradients);
  const auto expected = same.parameters();
  for (std::size_t i = 0; i < gradients.size(); ++i)
    EXPECT_TRUE(torch::allclose(gradients[i], expected[i].values.grad(), 1e-10, 1e-12))
        << expected[i].name;
}

TEST(Comparison, OfAModelWithItselfAndWithAnother) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const auto model = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
  const auto ids = random_ids(10, 37, 37);
  const std::vector<std::int64_t> targets(ids.begin() + 1, ids.end());
  const Tensor hidden = model.hidden_states(as_tensor(ids)).narrow(0, 0, 9).detach();
  const Tensor moved = hidden * 0.7;
  const auto same = compare_tokens(model, hidden, model, hidden, targets);
  const auto apart = compare_tokens(model, moved, model, hidden, targets);
  const Tensor p = model.logits(hidden).log_softmax(1), q = model.logits(moved).log_softmax(1);
  const Tensor divergence = (p.exp() * (p - q)).sum(1);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const auto row = static_cast<std::int64_t>(t);
    EXPECT_NEAR(same.reference[t].divergence(same.model[t]), 0, 1e-13);
    EXPECT_NEAR(apart.reference[t].divergence(apart.model[t]), divergence[row].item<double>(),
                1e-12);
    EXPECT_EQ(apart.reference[t].reference.top_id, p[row].argmax().item<std::int64_t>());
    EXPECT_EQ(apart.model[t].top_id, q[row].argmax().item<std::int64_t>());
  }
}

TEST(Divergences, AndTheirGradientsAreThoseOfPlainTensors) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const auto model = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
  const Tensor expected = model.hidden_states(as_tensor(random_ids(9, 37, 41))).detach();
  const Tensor hidden = (0.7 * expected).requires_grad_(true);
  const Tensor weights = torch::arange(1, 10, torch::kFloat64);
  const Tensor found = token_divergences(model, hidden, model, expected);
  (found * weights).sum().backward();

  const parallel::Communicator alone = world().split(world().rank(), 0);
  const auto single = LanguageModel::read(world(), alone, folder.path(), Precision::float64);
  const Tensor plain = (0.7 * expected).requires_grad_(true);
  const Tensor head = single.head().own_rows();
  const Tensor p = expected.matmul(head.t()).log_softmax(1),
               q = plain.matmul(head.t()).log_softmax(1);
  const Tensor divergence = (p.exp() * (p - q)).sum(1);
  (divergence * weights).sum().backward();
  EXPECT_LT((found - divergence).abs().max().item<double>(), 1e-12);
  EXPECT_LT((hidden.grad() - plain.grad()).abs().max().item<double>(), 1e-12);
  EXPECT_GT(plain.grad().abs().max().item<double>(), 1e-3) << "the test has something to compare";
}

TEST(SampledTokens, HaveTheModelsProbabilities) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const auto model = LanguageModel::read(world(), world(), folder.path(), Precision::float64);
  const Tensor hidden = model.hidden_states(as_tensor(random_ids(5, 37, 43))).detach();
  const Tensor expected = model.logits(hidden).softmax(1);
  Tensor counts = torch::zeros_like(expected);
  constexpr int draws = 1000;
  for (std::uint64_t stream = 0; stream < draws; ++stream) {
    const Tensor ids = sample_tokens(model, hidden, stream);
    counts.scatter_add_(1, ids.unsqueeze(1), torch::ones({5, 1}, torch::kFloat64));
  }
  // Pearson's statistic of each token: 36 degrees of freedom, 88 is beyond the 1e-6 quantile.
  const Tensor statistic = ((counts - draws * expected).square() / (draws * expected)).sum(1);
  EXPECT_LT(statistic.max().item<double>(), 88);
  EXPECT_GT(statistic.min().item<double>(), 9) << "no sampler is that even";
}

}  // namespace
}  // namespace rankine::models
