// The deal of samples: the same ones in the same batches for any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/errors.hpp"
#include "distill/sample_deal.hpp"

namespace rankine::distill {
namespace {

using weights::RowRange;

/// The samples in some places of a rank's order.
std::vector<std::int64_t> at(const std::vector<std::int64_t>& samples, RowRange places) {
  return {samples.begin() + places.first, samples.begin() + places.end()};
}

/// What all ranks together hold out (first), and take in each batch.
std::vector<std::set<std::int64_t>> dealt(const SampleDeal& deal, int ranks) {
  std::vector<std::set<std::int64_t>> parts(static_cast<std::size_t>(deal.batches()) + 1);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto samples = deal.samples_of(Sharing::dealt, rank, ranks);
    std::size_t seen = 0;
    const auto take = [&](std::set<std::int64_t>& part, RowRange places) {
      EXPECT_EQ(static_cast<std::size_t>(places.first), seen) << "one part behind the other";
      for (const std::int64_t sample : at(samples, places))
        EXPECT_TRUE(part.insert(sample).second) << "no sample twice";
      seen += static_cast<std::size_t>(places.count);
    };
    take(parts[0], deal.held_out_of(Sharing::dealt, rank, ranks));
    for (int batch = 0; batch < deal.batches(); ++batch)
      take(parts[static_cast<std::size_t>(batch) + 1],
           deal.batch_of(batch, Sharing::dealt, rank, ranks));
    EXPECT_EQ(seen, samples.size());
  }
  return parts;
}

TEST(SampleDeal, IsTheSamePartitionForAnyRanks) {
  for (const std::int64_t samples : {2, 3, 20, 101}) {
    const SampleDeal deal(samples, 0.05, 8, 3);
    const auto expected = dealt(deal, 1);
    std::set<std::int64_t> all;
    for (std::size_t part = 0; part < expected.size(); ++part) {
      const std::int64_t count =
          part == 0 ? deal.held_out() : deal.batch_size(static_cast<int>(part) - 1);
      EXPECT_EQ(std::ssize(expected[part]), count);
      EXPECT_TRUE(part == 0 || (count > 0 && count <= 8));
      all.insert(expected[part].begin(), expected[part].end());
    }
    EXPECT_EQ(std::ssize(all), samples);
    EXPECT_EQ(*all.begin(), 0);
    EXPECT_EQ(*all.rbegin(), samples - 1);
    EXPECT_EQ(deal.trained() + deal.held_out(), samples);
    for (const int ranks : {2, 3, 5, 16}) EXPECT_EQ(dealt(deal, ranks), expected);
  }
}

TEST(SampleDeal, RanksThatShareWeightsHaveAllSamples) {
  const SampleDeal deal(21, 0.1, 4, 3);
  const auto alone = deal.samples_of(Sharing::dealt, 0, 1);
  for (int rank = 0; rank < 3; ++rank) {
    EXPECT_EQ(deal.samples_of(Sharing::same, rank, 3), alone);
    for (int batch = 0; batch < deal.batches(); ++batch)
      EXPECT_EQ(at(alone, deal.batch_of(batch, Sharing::same, rank, 3)),
                at(alone, deal.batch_of(batch, Sharing::dealt, 0, 1)));
  }
}

TEST(SampleDeal, HoldsOutOneAtLeastAndNeverAll) {
  const auto held_out = [](std::int64_t samples, double part) {
    return SampleDeal(samples, part, 8, 1).held_out();
  };
  EXPECT_EQ(held_out(2, 0), 1);
  EXPECT_EQ(held_out(2, 1), 1);
  EXPECT_EQ(held_out(10, 0.99), 9);
  EXPECT_EQ(held_out(4000, 0.05), 200);
}

TEST(SampleDeal, RefusesLessThanTwoSamples) {
  for (const std::int64_t samples : {0, 1})
    EXPECT_THROW(SampleDeal(samples, 0.05, 8, 1), InputError) << samples;
}

TEST(SampleDeal, OrdersDependOnSeedSliceAndEpoch) {
  const SampleDeal deal(200, 0.05, 8, 1);
  const std::vector<int> first = deal.order(0, 0);
  std::vector<int> sorted = first;
  std::ranges::sort(sorted);
  for (int batch = 0; batch < deal.batches(); ++batch)
    EXPECT_EQ(sorted[static_cast<std::size_t>(batch)], batch);
  EXPECT_EQ(SampleDeal(200, 0.05, 8, 1).order(0, 0), first);
  EXPECT_NE(deal.order(1, 0), first);
  EXPECT_NE(deal.order(0, 1), first);
  EXPECT_NE(SampleDeal(200, 0.05, 8, 2).order(0, 0), first);
}

}  // namespace
}  // namespace rankine::distill
