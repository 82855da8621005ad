// Predictions of compressions: what must hold whatever the machine.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "compress/job/cost.hpp"

namespace rankine::compress {
namespace {

/// Ten layers of width 2048 whose moments of inputs are measured.
CompressionJob job_of(std::int64_t windows, std::int64_t teams = 1) {
  CompressionJob job;
  job.scoring.config = {.vocabulary_size = 32000,
                        .width = 2048,
                        .layers = 10,
                        .heads = 16,
                        .key_heads = 16,
                        .head_size = 128,
                        .hidden = 8192,
                        .context = 2048};
  for (int layer = 0; layer < 10; ++layer) {
    const std::int64_t first = 4 * layer;
    for (int i = 0; i < 3; ++i) job.selected.push_back({"attention", {2048, 2048}, first});
    job.selected.push_back({"output", {2048, 2048}, first + 1});
    for (int i = 0; i < 2; ++i) job.selected.push_back({"gate", {8192, 2048}, first + 2});
    job.selected.push_back({"down", {2048, 8192}, first + 3});
  }
  job.options.method.form = weights::Form::low_rank;
  job.options.method.weighting = Weighting::full;
  job.options.calibration.windows = windows;
  job.options.scoring.parallel.teams = teams;
  job.scoring.options = job.options.scoring;
  return job;
}

std::map<std::string, run::StageCost> cost_of(const CompressionJob& job, int ranks) {
  run::MachineModel model;
  model.node = {.nodes = 512, .cores = 8, .memory = 64, .core_bandwidth = 10, .bandwidth = 80};
  std::map<std::string, run::StageCost> found;
  for (const run::StageCost& stage : cost(job, run::Pace(model, run::place(model, ranks, 1))))
    found[stage.stage] = stage;
  return found;
}

constexpr const char* inputs = "moments of inputs";

TEST(Cost, OfMomentsGrowsWithTheWindows) {
  const double four = cost_of(job_of(4), 1)[inputs].seconds;
  EXPECT_NEAR(cost_of(job_of(8), 1)[inputs].seconds, 2 * four, 1e-9 * four);
  EXPECT_NEAR(cost_of(job_of(8), 1)[inputs].flops, 2 * cost_of(job_of(4), 1)[inputs].flops, 1);
}

TEST(Cost, FallsWithTheRanksButNotFasterThanThey) {
  const CompressionJob job = job_of(8);
  double before = cost_of(job, 1)[inputs].seconds;
  for (const int ranks : {2, 4, 8}) {
    const double now = cost_of(job, ranks)[inputs].seconds;
    EXPECT_LT(now, before);
    EXPECT_GT(now, before / 2);
    before = now;
  }
}

TEST(Cost, TeamsTakeWindowsInTurn) {
  const double one = cost_of(job_of(1), 1)[inputs].seconds;
  const double eight = cost_of(job_of(8, 8), 8)[inputs].seconds;
  EXPECT_GT(eight, one) << "their sums are collected";
  EXPECT_LT(eight, 8 * one);
  // A ninth window is a second turn.
  EXPECT_NEAR(cost_of(job_of(16, 8), 8)[inputs].seconds - cost_of(job_of(9, 8), 8)[inputs].seconds,
              0, 1e-9 * one);
}

TEST(Cost, OfDecompositionsIsNoLessThanTheLongest) {
  const CompressionJob job = job_of(4);
  const double one = cost_of(job, 1)["decompositions"].seconds;
  double before = one;
  for (const int ranks : {2, 4, 16, 64, 512}) {
    const double now = cost_of(job, ranks)["decompositions"].seconds;
    EXPECT_LT(now, 1.05 * before);
    EXPECT_GT(now, one / ranks / 1.001);
    before = now;
  }
}

CompressionJob codebook_job() {
  CompressionJob job = job_of(4);
  MethodOptions& method = job.options.method;
  method.form = weights::Form::clustered;
  method.codebooks = "row";
  method.rounds = 3;
  return job;
}

TEST(Cost, OfCodebooksInOrderCountsWeightsThatWaitForOthers) {
  CompressionJob job = codebook_job();
  EXPECT_EQ(cost_of(job, 1).count("errors of codebooks"), 0u);
  const double one = cost_of(job, 1)["codebooks"].seconds;
  const double eight = cost_of(job, 8)["codebooks"].seconds;
  EXPECT_LT(eight, one / 4);
  job.options.fit.order = FitOrder::sequential;
  EXPECT_EQ(cost_of(job, 1).count("codebooks"), 0u);
  EXPECT_EQ(cost_of(job, 1).count(inputs), 0u);
  EXPECT_GT(cost_of(job, 1)["sequential fit"].seconds, one);
  EXPECT_GT(cost_of(job, 8)["sequential fit"].seconds, 2 * eight);
  job.options.ranks.bits_per_weight = 3.2;
  EXPECT_GT(cost_of(job, 1)["errors of codebooks"].seconds, 0);
  EXPECT_EQ(cost_of(job, 1).count(inputs), 1u);
}

TEST(Cost, HasNoStageForWhatIsNotDone) {
  CompressionJob job = job_of(4);
  job.options.method.weighting = Weighting::none;
  const auto stages = cost_of(job, 1);
  EXPECT_EQ(stages.count(inputs), 0u);
  EXPECT_EQ(stages.count("healing"), 0u);
  EXPECT_EQ(stages.count("scoring windows"), 0u);
  EXPECT_EQ(stages.count("decompositions"), 1u);
}

}  // namespace
}  // namespace rankine::compress
