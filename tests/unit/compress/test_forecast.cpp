// A model that one rank cannot compress within its memory, and two can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/job/forecast.hpp"
#include "core/errors.hpp"

namespace rankine::compress {
namespace {

/// Ten layers of width 2048, hidden 8192, under two-sided weighting.
CompressionJob large_job(double gibibytes) {
  CompressionJob job;
  models::ModelConfig& config = job.scoring.config;
  config = {.vocabulary_size = 1000,
            .width = 2048,
            .layers = 10,
            .heads = 16,
            .key_heads = 16,
            .head_size = 128,
            .hidden = 8192,
            .context = 2048};
  for (int layer = 0; layer < 10; ++layer) {
    for (int i = 0; i < 4; ++i) job.selected.push_back({"attention", {2048, 2048}});
    for (int i = 0; i < 2; ++i) job.selected.push_back({"gate", {8192, 2048}});
    job.selected.push_back({"down", {2048, 8192}});
  }
  job.options.scoring.parallel.memory_per_rank = gibibytes;
  job.scoring.options = job.options.scoring;
  return job;
}

TEST(Forecast, RefusesOneRankAndNamesTheNumberThatWouldDo) {
  const double one = plan_memory(large_job(1000), {.ranks = 1}).forecast.total() / 1073741824.0;
  const auto job = large_job(0.75 * one);
  const CompressionMemory refused = plan_memory(job, {.ranks = 1});
  EXPECT_EQ(refused.sufficient_ranks, 2);
  try {
    refused.require();
    FAIL() << "one rank must not do";
  } catch (const ResourceError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("Use at least 2 ranks"));
  }
  EXPECT_NO_THROW(plan_memory(job, {.ranks = 2}).require());
}

TEST(Forecast, FallsWithTheRanks) {
  const auto job = large_job(1000);
  double before = plan_memory(job, {.ranks = 1}).forecast.total();
  for (const int ranks : {2, 4, 8}) {
    const double now = plan_memory(job, {.ranks = ranks}).forecast.total();
    EXPECT_LT(now, before);
    before = now;
  }
}

TEST(Forecast, FindsRanksForAMatrixThatNoneCanHold) {
  // Less than the moment of the widest inputs alone, of which a whole decomposition holds several.
  const auto job = large_job(0.45);
  const CompressionMemory one = plan_memory(job, {.ranks = 1});
  EXPECT_THROW(one.require(), ResourceError);
  ASSERT_GT(one.sufficient_ranks, 2);
  const CompressionMemory enough = plan_memory(job, {.ranks = one.sufficient_ranks});
  EXPECT_NO_THROW(enough.require());
  EXPECT_LT(enough.forecast.total(), 0.45 * 1073741824.0);
}

}  // namespace
}  // namespace rankine::compress
