// Models over row blocks: logits against plain loops and against the reference of the small story
// model, at any number of ranks; what is read, what is saved, what is generated.
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "../../plain_transformer.hpp"
#include "core/errors.hpp"
#include "files/npy.hpp"
#include "models/checksum.hpp"
#include "models/evaluation/evaluation.hpp"
#include "models/export/peft_export.hpp"
#include "models/language/adapter_reader.hpp"
#include "models/language/generation.hpp"
#include "models/language/language_model.hpp"
#include "models/language/losses.hpp"
#include "parallel/teams.hpp"
#include "tiny_folder.hpp"
#include "weights/forms/dense.hpp"
#include "weights/making/adapter.hpp"

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

TEST(LanguageModel, AContinuationEndsWithAnEndToken) {
  const TinyModel open_end = tiny_models()[0];
  std::vector<std::int64_t> all;
  {
    const TinyFolder folder(open_end);
    all = continue_sequence(read(folder.path()), {4, 9, 2}, {.tokens = 12});
  }
  TinyModel tiny = open_end;
  const std::string ids = "[36," + std::to_string(all[4]) + "]";
  tiny.config_json.insert(1, "\"eos_token_id\":" + ids + ",");
  const TinyFolder folder(tiny);
  const auto end =
      std::ranges::find_if(all, [&](std::int64_t id) { return id == 36 || id == all[4]; });
  EXPECT_EQ(continue_sequence(read(folder.path()), {4, 9, 2}, {.tokens = 12}),
            std::vector<std::int64_t>(all.begin(), end + 1));
}

TEST(LanguageModel, ATiedHeadInTheFileIsTheEmbedding) {
  TinyModel tiny = tiny_models()[1];
  tiny.tensors["lm_head.weight"] = tiny.tensors["model.embed_tokens.weight"];
  {
    const TinyFolder folder(tiny);
    const auto ids = random_ids(5, tiny.config.vocabulary_size, 5);
    const LanguageModel model = read(folder.path());
    EXPECT_LT(largest_difference(model.logits(model.hidden_states(as_tensor(ids))),
                                 PlainTransformer(tiny).logits(ids)),
              1e-11);
  }
  tiny.tensors["lm_head.weight"].values.back() += 1;  // the last row: one rank's
  const TinyFolder folder(tiny);
  try {
    read(folder.path());
    ADD_FAILURE() << "another head was taken for the embedding";
  } catch (const InputError& error) {
    EXPECT_EQ(error.agreed_by(), world().size());
    EXPECT_THAT(error.what(), testing::HasSubstr("lm_head.weight differs from model.embed_tokens"));
  }
}

TEST(LanguageModel, BiasesThatConfigDoesNotAnnounceAreRefused) {
  TinyModel tiny = tiny_biased_llama();
  const std::string announced = "\"attention_bias\":true,";
  tiny.config_json.erase(tiny.config_json.find(announced), announced.size());
  const TinyFolder folder(tiny);
  try {
    read(folder.path());
    ADD_FAILURE() << "the biases were left out";
  } catch (const InputError& error) {
    EXPECT_EQ(error.agreed_by(), world().size());
    EXPECT_THAT(error.what(),
                testing::HasSubstr("self_attn.k_proj.bias has no place in the model"));
  }
}

TEST(LanguageModel, OnlyWeightsOfItsOwnAreReplaced) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  LanguageModel model = read(folder.path());
  const auto up = model.layers()[0].up.weight();
  EXPECT_THROW(model.replace_weight("model.layers.0.mlp.upp_proj", up), InputError);
  EXPECT_THROW(model.replace_weight("model.layers.0.mlp.down_proj", up), InputError);
  model.replace_weight("model.layers.1.mlp.up_proj", up);
  EXPECT_EQ(model.layers()[1].up.weight(), up);
}

TEST(LanguageModel, StagesAndHeadHaveAllParametersOnce) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    const LanguageModel model = read(folder.path());
    std::vector<std::string> of_stages, all;
    for (const Stage& stage : model.stages()) {
      for (const Slot* slot : stage.slots) {
        EXPECT_TRUE(slot->name().starts_with(stage.module + ".")) << slot->name();
        for (const auto& parameter : slot->weight()->parameters())
          of_stages.push_back(slot->name() + "." + parameter.name);
      }
      for (const auto& parameter : stage.parameters) of_stages.push_back(parameter.name);
    }
    for (const auto& parameter : model.parameters())
      if (!parameter.name.starts_with("lm_head") && !parameter.name.starts_with("embed_out"))
        all.push_back(parameter.name);
    EXPECT_THAT(of_stages, testing::UnorderedElementsAreArray(all));
  }
}

/// Sixteen windows.
EvaluationJob tiny_evaluation(const TinyModel& tiny, const TinyFolder& folder) {
  EvaluationJob job;
  job.options.model = {.path = folder.path(), .precision = Precision::float64};
  job.options.evaluate.window_length = 8;
  job.config = tiny.config;
  job.plan = plan_windows(job.options, job.config,
                          {random_ids(128, tiny.config.vocabulary_size, 3), 128, false});
  return job;
}

/// Of windows scored by teams of one size, or of two.
void expect_equal_scores(const WindowScores& found, const WindowScores& expected, int teams) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t w = 0; w < found.size(); ++w)
    if (world().size() % teams == 0)
      EXPECT_EQ(found.negative_log_likelihood[w], expected.negative_log_likelihood[w]) << w;
    else
      EXPECT_NEAR(found.negative_log_likelihood[w], expected.negative_log_likelihood[w], 1e-12);
}

std::vector<int> evaluation_teams() {
  return world().size() > 1 ? std::vector<int>{1, 2, world().size()} : std::vector<int>{1};
}

TEST(Evaluation, KnownWindowsAreNotScoredAgain) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  EvaluationJob job = tiny_evaluation(tiny, folder);
  for (const int teams : evaluation_teams()) {
    job.options.parallel.teams = teams;
    WindowScores expected = evaluate(job, world()).scores;
    EvaluationControl control;
    if (world().rank() == 0) {
      expected.negative_log_likelihood[3] = 7;  // not what scoring it would give
      control.known = expected;
      for (const std::size_t w : {0, 1, 4, 9, 15}) {
        control.known.negative_log_likelihood[w] = std::nan("");
        control.known.agreements[w] = -1;
      }
    }
    world().broadcast(std::span(expected.negative_log_likelihood), 0);
    std::int64_t asked = 0;
    control.between_windows = [&](const parallel::Communicator& team) {
      asked += team.rank() == 0 ? 1 : 0;
    };
    const EvaluationResult result = evaluate(job, world(), control);
    expect_equal_scores(result.scores, expected, teams);
    EXPECT_EQ(world().sum(asked), 5 - std::min(teams, 5)) << "five windows, one after the other";
    EXPECT_EQ(result.loop_tokens, 5 * 8);
  }
}

TEST(Evaluation, AStopKeepsWhatAllTeamsHaveScored) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  EvaluationJob job = tiny_evaluation(tiny, folder);
  for (const int teams : evaluation_teams()) {
    job.options.parallel.teams = teams;
    const WindowScores straight = evaluate(job, world()).scores;
    WindowScores kept;
    EvaluationControl control;
    control.save = [&](const EvaluationResult& known) { kept = known.scores; };
    int asked = 0;
    // The last team stops after two windows; the others have scored all of theirs.
    const parallel::Teams split(world(), teams);
    control.between_windows = [&](const parallel::Communicator& team) {
      if (split.index() == teams - 1 && ++asked == 2)
        throw known_to_all(team.size(), Stopped("it is time"));
    };
    try {
      evaluate(job, world(), control);
      ADD_FAILURE() << "it went on";
    } catch (const Stopped& error) {
      EXPECT_EQ(error.agreed_by(), world().size());
    }
    const auto own = 16 / teams + (teams - 1 < 16 % teams ? 1 : 0);  // windows of the last team
    if (world().rank() == 0) {
      std::int64_t done = 0;
      for (std::size_t w = 0; w < kept.size(); ++w) done += kept.is_known(w) ? 1 : 0;
      EXPECT_EQ(done, 16 - own + 2);
    }
    const EvaluationResult continued = evaluate(job, world(), {.known = kept});
    expect_equal_scores(continued.scores, straight, teams);
  }
}

TEST(Evaluation, ASaveThatFailsEndsAllRanks) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  EvaluationJob job = tiny_evaluation(tiny, folder);
  for (const int teams : {1, world().size()}) {
    job.options.parallel.teams = teams;
    int saves = 0;
    const auto save = [&](const EvaluationResult&) {
      if (++saves == 2) throw ResourceError("the disk is full");
    };
    try {
      evaluate(job, world(), {.save = save, .seconds_between = -1});
      ADD_FAILURE() << "the failure was lost";
    } catch (const ResourceError& error) {
      EXPECT_EQ(error.agreed_by(), world().size());
      EXPECT_THAT(error.what(), testing::HasSubstr("the disk is full"));
    }
    EXPECT_EQ(saves, world().rank() == 0 ? 2 : 0);
  }
}

/// Twelve items of three choices, some with a context of their own.
TaskPlan tiny_tasks(std::int64_t vocabulary) {
  TaskPlan plan{.tasks = {{"first", 0, 7}, {"second", 7, 5}}, .items = {}};
  for (std::uint64_t i = 0; i < 12; ++i) {
    TaskItem item{.choices = {}, .answer = static_cast<std::int64_t>(i % 3)};
    const auto context = random_ids(static_cast<int>(1 + i % 5), vocabulary, 50 + i);
    for (std::uint64_t c = 0; c < 3; ++c) {
      TaskChoice choice{.ids = context, .first_scored = std::ssize(context)};
      if (i % 4 == 3) choice.ids[0] = static_cast<std::int64_t>(c) % vocabulary;
      for (const auto id : random_ids(static_cast<int>(1 + c), vocabulary, 90 + 3 * i + c))
        choice.ids.push_back(id);
      item.choices.push_back(choice);
    }
    plan.items.push_back(item);
  }
  return plan;
}

/// By the whole sequence at once, of a model in plain loops.
double plain_log_likelihood(const TinyModel& tiny, const TaskChoice& choice) {
  const auto logits = PlainTransformer(tiny).logits(choice.ids);
  double sum = 0;
  for (auto t = static_cast<std::size_t>(choice.first_scored); t < choice.ids.size(); ++t) {
    double exponentials = 0;
    for (const double logit : logits[t - 1]) exponentials += std::exp(logit);
    sum += logits[t - 1][static_cast<std::size_t>(choice.ids[t])] - std::log(exponentials);
  }
  return sum;
}

TEST(Evaluation, ChoicesHaveTheLikelihoodOfTheirWholeSequences) {
  for (const TinyModel& tiny : tiny_models()) {
    const TinyFolder folder(tiny);
    EvaluationJob job = tiny_evaluation(tiny, folder);
    job.tasks = tiny_tasks(tiny.config.vocabulary_size);
    for (const int teams : evaluation_teams()) {
      job.options.parallel.teams = teams;
      const auto found = evaluate(job, world()).tasks.log_likelihood;
      auto value = found.begin();
      for (const TaskItem& item : job.tasks.items)
        for (const TaskChoice& choice : item.choices)
          EXPECT_NEAR(*value++, plain_log_likelihood(tiny, choice), 1e-10);
      EXPECT_EQ(value, found.end());
    }
  }
}

TEST(Evaluation, KnownItemsAreNotScoredAgain) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  EvaluationJob job = tiny_evaluation(tiny, folder);
  job.plan.windows.clear();
  job.tasks = tiny_tasks(tiny.config.vocabulary_size);
  for (const int teams : evaluation_teams()) {
    job.options.parallel.teams = teams;
    TaskScores expected = evaluate(job, world()).tasks;
    EvaluationControl control;
    if (world().rank() == 0) {
      expected.log_likelihood[3 * 5 + 1] = -7;  // not what scoring it would give
      control.known_tasks = expected;
      for (const std::size_t choice : {0, 1, 2, 24, 25, 26})
        control.known_tasks.log_likelihood[choice] = std::nan("");
      EXPECT_EQ(control.known_tasks.count_known(job.tasks), 10);
    }
    world().broadcast(std::span(expected.log_likelihood), 0);
    const auto found = evaluate(job, world(), control).tasks.log_likelihood;
    for (std::size_t c = 0; c < found.size(); ++c)
      EXPECT_NEAR(found[c], expected.log_likelihood[c], 1e-12) << c;
  }
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

/// An adapter with random numbers beside every weight of the layers, or beside those of `part`.
void adapt(LanguageModel& model, const weights::AdapterShape& shape, const std::string& part = {}) {
  const torch::NoGradGuard no_gradients;
  std::uint64_t seed = 100;
  for (const Slot* slot : model.slots()) {
    if (slot->name().find(part) == std::string::npos) continue;
    model.replace_weight(slot->name(), weights::make_adapted(slot->weight(), shape));
    for (const weights::Parameter& numbers : slot->weight()->parameters()) {
      auto generator = at::detail::createCPUGenerator(++seed);
      const torch::Tensor whole = torch::randn(weights::whole_shape(numbers), generator);
      torch::Tensor(numbers.values)
          .copy_(0.2 * whole.narrow(0, numbers.first_row, numbers.values.size(0)));
    }
  }
}

torch::Tensor logits_of(const LanguageModel& model) {
  const torch::NoGradGuard no_gradients;
  return model.logits(
      model.hidden_states(as_tensor(random_ids(13, model.config().vocabulary_size, 5))));
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

using weights::AdapterKind;
using weights::AdapterSide;

TEST(Adapters, AreTheModelAtTheStartAndTheirMergedWeightsAfterwards) {
  const TinyModel tiny = tiny_llama({.hidden = 20}, 1);
  const TinyFolder folder(tiny);
  for (const weights::AdapterShape& shape :
       {weights::AdapterShape{.kind = AdapterKind::cayley, .side = AdapterSide::both, .block = 4},
        {.kind = AdapterKind::cayley, .block = 2, .layers = 3},
        {.kind = AdapterKind::block_diagonal, .side = AdapterSide::outputs, .block = 4},
        {.kind = AdapterKind::lora, .rank = 2, .seed = 3}}) {
    LanguageModel model = read(folder.path(), Precision::float32);
    const torch::Tensor before = logits_of(model);
    for (const Slot* slot : model.slots()) {
      const auto adapted = weights::make_adapted(slot->weight(), shape);
      std::int64_t numbers = 0;
      for (const weights::Parameter& own : adapted->parameters()) numbers += whole_numel(own);
      EXPECT_EQ(numbers, adapter_numbers(shape, {adapted->outputs(), adapted->inputs()}));
      EXPECT_EQ(adapted->stored_numbers(), numbers + slot->weight()->stored_numbers());
      model.replace_weight(slot->name(), adapted);
    }
    EXPECT_LT(largest_difference(logits_of(model), before), 1e-6);
    LanguageModel other = read(folder.path(), Precision::float32);
    adapt(other, shape);
    const torch::Tensor adapted = logits_of(other);
    EXPECT_GT(largest_difference(adapted, before), 1e-2);
    for (const Slot* slot : other.slots())
      other.replace_weight(
          slot->name(), std::make_shared<weights::Dense>(world(), slot->weight()->split(),
                                                         slot->weight()->own_rows().contiguous()));
    EXPECT_LT(largest_difference(logits_of(other), adapted),
              1e-5 * adapted.abs().max().item<double>());
  }
}

TEST(Adapters, GoToTheFilesOfPeftAndBack) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const parallel::Teams teams(world(), 1);
  const std::string adapter = folder.path() + "/adapter";
  for (const weights::AdapterShape& shape :
       {weights::AdapterShape{.block = 4}, {.kind = AdapterKind::lora, .rank = 3, .seed = 3}}) {
    LanguageModel model = read(folder.path(), Precision::float32);
    adapt(model, shape, "q_proj");
    ASSERT_TRUE(has_peft_form(shape));
    write_adapter(model, world(), teams, adapter, "base");
    const LanguageModel again = read_language_model(
        world(), world(),
        {.path = folder.path(), .precision = Precision::float32, .adapter = adapter});
    EXPECT_EQ(largest_difference(logits_of(again), logits_of(model)), 0);
    EXPECT_EQ(checksum(again), checksum(model));
  }
}

TEST(Adapters, WhatPeftHasNoFormForIsRefused) {
  const TinyModel tiny = tiny_models()[0];
  const TinyFolder folder(tiny);
  const parallel::Teams teams(world(), 1);
  const std::string adapter = folder.path() + "/adapter";
  const auto refuses = [&](const LanguageModel& model) {
    EXPECT_THROW(write_adapter(model, world(), teams, adapter, "base"), InputError);
  };
  refuses(read(folder.path()));
  for (const weights::AdapterShape& shape :
       {weights::AdapterShape{.side = AdapterSide::outputs, .block = 4},
        {.block = 2, .layers = 2},
        {.kind = AdapterKind::block_diagonal, .block = 4}}) {
    LanguageModel model = read(folder.path());
    adapt(model, shape, "q_proj");
    EXPECT_FALSE(has_peft_form(shape));
    refuses(model);
    EXPECT_THROW(make_adapted(model.slots()[0]->weight(), shape), InputError) << "it has one";
  }
  LanguageModel mixed = read(folder.path());
  adapt(mixed, {.block = 4}, "q_proj");
  adapt(mixed, {.block = 2}, "v_proj");
  refuses(mixed);
  EXPECT_THROW(make_adapted(mixed.slots()[1]->weight(), {.block = 5}), InputError);
  EXPECT_THROW(make_adapted(mixed.slots()[1]->weight(), {.kind = AdapterKind::lora, .rank = 1000}),
               InputError);
}

}  // namespace
}  // namespace rankine::models
