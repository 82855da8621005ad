#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/errors.hpp"
#include "models/evaluation/task_scores.hpp"
#include "models/evaluation/windows.hpp"

namespace rankine::models {
namespace {

TokenText text_of(std::int64_t tokens) {
  TokenText text{std::vector<std::int64_t>(static_cast<std::size_t>(tokens)), tokens, false};
  std::iota(text.ids.begin(), text.ids.end(), 0);
  return text;
}

ModelConfig config() {
  ModelConfig config;
  config.vocabulary_size = 1000;
  config.context = 64;
  config.beginning_of_sequence = 999;
  return config;
}

EvaluateOptions options(std::int64_t window, std::int64_t stride = 0) {
  EvaluateOptions options;
  options.evaluate.window_length = window;
  options.evaluate.stride = stride;
  return options;
}

/// The ids that a plan scores, in order.
std::vector<std::int64_t> scored(const WindowPlan& plan) {
  std::vector<std::int64_t> all;
  for (const Window& window : plan.windows) {
    const auto ids = window.ids(plan.text);
    all.insert(all.end(), ids.begin() + window.first_scored, ids.end());
  }
  return all;
}

std::vector<std::int64_t> counted(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(last - first));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

TEST(Windows, SideBySideScoreAllButTheFirstAndDropTheTail) {
  const auto plan = plan_windows(options(8), config(), text_of(23));
  ASSERT_EQ(plan.windows.size(), 2u);
  EXPECT_EQ(plan.scored_tokens(), 14);
  EXPECT_THAT(scored(plan), testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15));
}

TEST(Windows, SlidingOnesScoreEachTokenOnce) {
  const auto plan = plan_windows(options(8, 3), config(), text_of(24));
  EXPECT_EQ(plan.windows.size(), 6u);
  EXPECT_EQ(scored(plan), counted(1, 23));
  for (const Window& window : plan.windows) EXPECT_EQ(window.tokens(), 8);
}

TEST(Windows, ATokenBeforeEachWindowLetsAllOfTheTextBeScored) {
  auto how = options(8);
  how.evaluate.beginning_of_sequence = BeginningOfSequence::each_window;
  const auto plan = plan_windows(how, config(), text_of(21));
  EXPECT_EQ(plan.windows.size(), 3u);
  EXPECT_EQ(scored(plan), counted(0, 21));
  EXPECT_EQ(plan.windows[1].ids(plan.text).front(), 999);
  EXPECT_EQ(plan.longest_window(), 8);
  how.evaluate.stride = 2;
  EXPECT_EQ(scored(plan_windows(how, config(), text_of(21))), counted(0, 21));
}

TEST(Windows, RowsAreCutEachByItself) {
  TokenText rows = text_of(12);
  rows.row_length = 6;
  rows.has_rows = true;
  const auto plan = plan_windows(options(4), config(), rows);
  EXPECT_THAT(scored(plan), testing::ElementsAre(1, 2, 3, 7, 8, 9));
  EXPECT_THAT(scored(plan_windows(options(64), config(), rows)),
              testing::ElementsAre(1, 2, 3, 4, 5, 7, 8, 9, 10, 11));
}

TEST(Windows, RowsWithoutTokensAreRefused) {
  for (const std::int64_t row_length : {0, 6}) {
    const TokenText rows{{}, row_length, true};
    EXPECT_THROW(plan_windows(options(4), config(), rows), InputError);
  }
}

TEST(Windows, MayBeLongerThanAWindowOfAttention) {
  ModelConfig sliding = config();
  sliding.sliding_window = 8;
  EXPECT_EQ(plan_windows(options(9), sliding, text_of(23)).windows.size(), 2u);
}

TEST(Windows, AsManyAsAskedFor) {
  auto how = options(4);
  how.evaluate.max_windows = 2;
  EXPECT_EQ(plan_windows(how, config(), text_of(100)).windows.size(), 2u);
}

TEST(Windows, RefuseWhatCannotBeScored) {
  EXPECT_THROW(plan_windows(options(24), config(), text_of(23)), InputError);
  EXPECT_THROW(plan_windows(options(65), config(), text_of(100)), InputError);
  EXPECT_THROW(plan_windows(options(8), config(), text_of(1001)), InputError);
  auto how = options(8);
  how.evaluate.beginning_of_sequence = BeginningOfSequence::each_window;
  ModelConfig nameless = config();
  nameless.beginning_of_sequence.reset();
  EXPECT_THROW(plan_windows(how, nameless, text_of(100)), InputError);
}

TEST(Tasks, ChoicesShareWhatNoneOfThemScores) {
  TaskItem item{.choices = {{.ids = {4, 5, 6, 7}, .first_scored = 3},
                            {.ids = {4, 5, 6, 8, 9}, .first_scored = 3}}};
  EXPECT_EQ(item.shared_tokens(), 2);  // the last of the context predicts the first scored one
  item.choices[1].ids[1] = 3;
  EXPECT_EQ(item.shared_tokens(), 1);
  item.choices[1].first_scored = 1;
  EXPECT_EQ(item.shared_tokens(), 0);
}

TEST(Tasks, AccuracyIsOfTheChoicesThatWinByTheirLength) {
  const TaskItem item{.choices = {{.ids = {1, 2}, .characters = 2, .bytes = 8},
                                  {.ids = {1, 2, 3}, .characters = 4, .bytes = 4}},
                      .answer = 1};
  TaskPlan plan{.tasks = {{"a", 0, 3}, {"b", 3, 1}}, .items = {item, item, item, item}};
  TaskScores scores = TaskScores::unknown(plan);
  EXPECT_EQ(scores.count_known(plan), 0);
  EXPECT_FALSE(accuracy(plan, plan.tasks[0], scores, ChoiceLength::none));
  EXPECT_TRUE(task_metrics(plan, scores).empty());
  scores.log_likelihood = {-1, -1.5, -2, -1, -3, -3, NAN, NAN};
  EXPECT_EQ(scores.count_known(plan), 3);
  const auto value = [&](ChoiceLength by) {
    return accuracy(plan, plan.tasks[0], scores, by).value().value;
  };
  EXPECT_DOUBLE_EQ(value(ChoiceLength::none), 1.0 / 3);  // of equal ones the first wins
  EXPECT_DOUBLE_EQ(value(ChoiceLength::tokens), 1.0);
  EXPECT_DOUBLE_EQ(value(ChoiceLength::characters), 1.0);
  EXPECT_DOUBLE_EQ(value(ChoiceLength::bytes), 0.0);
  const Accuracy plain = *accuracy(plan, plan.tasks[0], scores, ChoiceLength::none);
  EXPECT_NEAR(plain.standard_error, std::sqrt(1.0 / 3 * 2.0 / 3 / 2), 1e-15);
  EXPECT_EQ(task_metrics(plan, scores).size(), 8);
}

}  // namespace
}  // namespace rankine::models
