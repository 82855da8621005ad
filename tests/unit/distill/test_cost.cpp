// Predictions of distilling: slices that teams train side by side.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "distill/cost.hpp"

namespace rankine::distill {
namespace {

/// So many layers of width 512, each a slice, on 64 windows.
LanguageDistillJob job_of(std::int64_t layers, int teams) {
  LanguageDistillJob job{};
  models::ModelConfig& config = job.compression.scoring.config;
  config = {.vocabulary_size = 1000,
            .width = 512,
            .layers = layers,
            .heads = 8,
            .key_heads = 8,
            .head_size = 64,
            .hidden = 2048,
            .context = 512};
  job.options.compression.calibration.window_length = 256;
  job.compression.options.method.weighting = compress::Weighting::none;
  job.compression.options.method.form = weights::Form::low_rank;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const std::string name = "layer" + std::to_string(layer);
    job.compression.selected.push_back({name, {512, 512}});
    job.stages.push_back({.module = name, .is_block = true, .weights = {name}, .parameters = 3e6});
    const auto s = static_cast<std::size_t>(layer);
    job.slices.push_back({name, s, s + 1, {name}, 1});
  }
  job.windows.resize(64);
  job.teams = teams;
  job.compression.options.scoring.parallel.teams = teams;
  job.compression.scoring.options.parallel.teams = teams;
  return job;
}

std::map<std::string, run::StageCost> cost_of(const LanguageDistillJob& job, int ranks) {
  run::MachineModel model;
  model.node = {.nodes = 64, .cores = 8, .memory = 64, .core_bandwidth = 10, .bandwidth = 80};
  std::map<std::string, run::StageCost> found;
  for (const run::StageCost& stage : cost(job, run::Pace(model, run::place(model, ranks, 1))))
    found[stage.stage] = stage;
  return found;
}

constexpr const char* training = "training of slices";

TEST(Cost, AsManyTeamsAsSlicesTrainThemInTheTimeOfOne) {
  const double alone = cost_of(job_of(1, 1), 1)[training].seconds;
  EXPECT_NEAR(cost_of(job_of(8, 8), 8)[training].seconds, alone, 1e-9 * alone);
  EXPECT_NEAR(cost_of(job_of(8, 1), 1)[training].seconds, 8 * alone, 1e-9 * alone);
}

TEST(Cost, TeamsBeyondTheSlicesGainNothing) {
  EXPECT_NEAR(cost_of(job_of(8, 8), 8)[training].seconds,
              cost_of(job_of(8, 16), 16)[training].seconds, 1e-12);
}

TEST(Cost, RanksOfATeamShareRows) {
  const double one = cost_of(job_of(8, 8), 8)[training].seconds;
  const double two = cost_of(job_of(8, 8), 16)[training].seconds;
  EXPECT_LT(two, one);
  EXPECT_GT(two, one / 2);
}

TEST(Cost, OneRankExchangesNothing) {
  EXPECT_EQ(cost_of(job_of(4, 1), 1).count("exchange of slices"), 0u);
  EXPECT_GT(cost_of(job_of(4, 4), 4)["exchange of slices"].bytes, 0);
}

TEST(Cost, TheTeacherPassesOncePerWave) {
  LanguageDistillJob job = job_of(8, 2);
  const double one = cost_of(job, 2)["teacher"].seconds;
  job.memory.waves = 3;
  EXPECT_NEAR(cost_of(job, 2)["teacher"].seconds, 3 * one, 1e-9 * one);
}

}  // namespace
}  // namespace rankine::distill
