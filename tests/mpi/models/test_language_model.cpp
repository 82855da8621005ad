// Models over row blocks: logits against plain loops and against the reference of the small story
// model, at any number of ranks; what is read, what is saved, what is generated.
#include <gtest/gtest.h>

#include <cmath>

#include "../../plain_transformer.hpp"
#include "files/npy.hpp"
#include "models/generation.hpp"
#include "models/language_model.hpp"
#include "models/losses.hpp"
#include "parallel/teams.hpp"
#include "tiny_folder.hpp"

namespace rankine::models {
namespace {

LanguageModel read(const std::string& folder, Precision precision = Precision::float64) {
  return LanguageModel::read(world(), world(), folder, precision);
}

double largest_difference(const torch::Tensor& logits,
                          const std::vector<std::vector<double>>& expected) {
  double largest = 0;
  const torch::Tensor values = logits.detach().to(torch::kFloat64);
  for (std::size_t t = 0; t < expected.size(); ++t)
    for (std::size_t i = 0; i < expected[t].size(); ++i)
      largest = std::max(
          largest,
          std::abs(
              values[static_cast<std::int64_t>(t)][static_cast<std::int64_t>(i)].item<double>() -
              expected[t][i]));
  return largest;
}

TEST(LanguageModel, EqualsPlainLoops) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    const auto ids = random_ids(13, tiny.config.vocabulary_size, 5);
    const auto expected = PlainTransformer(tiny).logits(ids);
    for (const auto& [precision, tolerance] :
         {std::pair{Precision::float64, 1e-11}, {Precision::float32, 1e-5}}) {
      const LanguageModel model = read(folder.path(), precision);
      const torch::Tensor logits = model.logits(model.hidden_states(as_tensor(ids)));
      EXPECT_LT(largest_difference(logits, expected), tolerance);
    }
  }
}

TEST(LanguageModel, SequencesLongerThanABlockOfQueriesEqualPlainLoops) {
  const TinyModel tiny = tiny_llama({.layers = 1, .heads = 3, .key_heads = 1}, 7);
  const TinyFolder folder(tiny);
  const auto ids = random_ids(128, tiny.config.vocabulary_size, 6);
  const LanguageModel model = read(folder.path());
  const torch::Tensor logits = model.logits(model.hidden_states(as_tensor(ids)));
  EXPECT_LT(largest_difference(logits, PlainTransformer(tiny).logits(ids)), 1e-11);
}

TEST(LanguageModel, CachedStepsEqualTheWholeSequence) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    const LanguageModel model = read(folder.path());
    const torch::NoGradGuard no_gradients;
    const torch::Tensor ids = as_tensor(random_ids(11, tiny.config.vocabulary_size, 8));
    const torch::Tensor whole = model.hidden_states(ids);
    KeyValueCache cache = model.make_cache(11);
    const torch::Tensor first = model.hidden_states(ids.narrow(0, 0, 6), &cache);
    EXPECT_LT((first - whole.narrow(0, 0, 6)).abs().max().item<double>(), 1e-12);
    for (std::int64_t t = 6; t < 11; ++t) {
      const torch::Tensor next = model.hidden_states(ids.narrow(0, t, 1), &cache);
      EXPECT_LT((next - whole.narrow(0, t, 1)).abs().max().item<double>(), 1e-12);
    }
  }
}

TEST(LanguageModel, EachByteOfTheWeightsIsReadOnce) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    const LanguageModel model = read(folder.path());
    std::int64_t on_all_ranks = 0;  // norms, biases and learned positions
    for (const auto& [name, tensor] : tiny.tensors)
      if (tensor.shape.size() == 1 || name.find("wpe") != std::string::npos)
        on_all_ranks += 4 * tensor.size();
    EXPECT_EQ(world().sum(static_cast<std::int64_t>(model.bytes_read())),
              tiny.bytes() + (world().size() - 1) * on_all_ranks);
  }
}

TEST(LanguageModel, GreedyContinuationEqualsTheLogitsOfEachPrefix) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const LanguageModel model = read(folder.path());
  std::vector<std::int64_t> sequence{4, 9, 2};
  const auto added = continue_sequence(model, sequence, {.tokens = 9});
  ASSERT_EQ(added.size(), 9u);
  for (const std::int64_t id : added) {
    const auto last = PlainTransformer(tiny).logits(sequence).back();
    EXPECT_EQ(id, std::max_element(last.begin(), last.end()) - last.begin());
    sequence.push_back(id);
  }
}

TEST(LanguageModel, SampledContinuationsDoNotDependOnTheNumberOfRanks) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const LanguageModel shared = read(folder.path());
  const parallel::Communicator alone = world().split(world().rank(), 0);
  const LanguageModel single =
      LanguageModel::read(world(), alone, folder.path(), Precision::float64);
  const Sampling sampling{.tokens = 40, .temperature = 1.3, .top_k = 12, .seed = 3};
  const auto one = continue_sequence(shared, {1}, sampling);
  EXPECT_EQ(one, continue_sequence(single, {1}, sampling));
  EXPECT_NE(one, continue_sequence(shared, {1},
                                   {.tokens = 40, .temperature = 1.3, .top_k = 12, .seed = 4}));
}

TEST(LanguageModel, AContinuationEndsWhereTheContextIsFull) {
  const TinyModel tiny = tiny_gpt2(4);  // context 64
  const TinyFolder folder(tiny);
  const LanguageModel model = read(folder.path());
  EXPECT_EQ(continue_sequence(model, random_ids(60, 31, 1), {.tokens = 32}).size(), 5u);
}

std::string data(const std::string& name) { return std::string(RANKINE_TEST_DATA) + "/" + name; }

TEST(Stories260K, GreedyLogitsEqualTheReference) {
  const LanguageModel model = read(RANKINE_INPUTS "/models/stories260K", Precision::float32);
  const auto ids = files::read_npy_integers(data("stories260K_greedy32_ids.npy")).values;
  const auto logits = files::read_npy(data("stories260K_greedy32_logits.npy"));
  const auto& expected = std::get<std::vector<float>>(logits.values);
  const torch::NoGradGuard no_gradients;
  const torch::Tensor ours = model.logits(model.hidden_states(as_tensor(ids))).contiguous();
  ASSERT_EQ(static_cast<std::size_t>(ours.numel()), expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest =
        std::max(largest, std::abs(static_cast<double>(ours.data_ptr<float>()[i] - expected[i])));
  EXPECT_LT(largest, 1e-4);
  const auto added = continue_sequence(model, {ids[0]}, {.tokens = 31});
  EXPECT_EQ(added, std::vector<std::int64_t>(ids.begin() + 1, ids.end()));
}

}  // namespace
}  // namespace rankine::models
