// What ranks send, and how long they wait for one another, stands in the profile of each.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "core/profile.hpp"
#include "own_rank.hpp"
#include "parallel/communicator.hpp"

namespace rankine::parallel {
namespace {

/// A stage of this rank so far; nothing happened in one that it was never in.
StageProfile stage(const std::string& name) {
  for (StageProfile& found : profile())
    if (found.name == name) return std::move(found);
  return {.name = name};
}

TEST(ProfileOfRanks, CountsTheBytesThatThisRankSends) {
  start_profile();
  std::vector<double> many(1000, 1.0);
  world().sum(std::span(many));
  world().broadcast(std::span(many), 0);
  const bool has_others = size() > 1;
  EXPECT_EQ(stage("collectives").bytes_sent, has_others ? (rank() == 0 ? 16000 : 8000) : 0);
  EXPECT_EQ(stage("collectives").flops, 0);
  static_cast<void>(world().sum(1.0));
  EXPECT_EQ(stage("wait").bytes_sent, has_others ? 8 : 0);

  const int next = (rank() + 1) % size(), previous = (rank() + size() - 1) % size();
  std::vector<double> received(7);
  Request receipt = world().receive(std::span(received), previous, 3);
  Request sent = world().send(std::span<const double>(many).first(7), next, 3);
  receipt.wait();
  sent.wait();
  EXPECT_EQ(stage("exchange").bytes_sent, 56);
}

TEST(ProfileOfRanks, ExchangesCountWhatGoesToOthers) {
  start_profile();
  const auto ranks = static_cast<std::size_t>(size());
  const std::vector<int> value{rank()};
  std::vector<int> all(ranks);
  std::vector<std::span<const int>> out(ranks, std::span(value));
  std::vector<std::span<int>> in;
  for (std::size_t r = 0; r < ranks; ++r) in.push_back(std::span(all).subspan(r, 1));
  world().exchange(std::span<const std::span<const int>>(out), std::span<const std::span<int>>(in));
  EXPECT_EQ(stage("exchange").bytes_sent, 4 * (size() - 1));
}

TEST(ProfileOfRanks, TellsWaitingFromWork) {
  world().barrier();
  start_profile();
  if (rank() == 0) {
    const ProfileStage work("work");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  world().barrier();
  if (rank() == 0) {
    EXPECT_GE(stage("work").seconds, 0.2);
  } else {
    EXPECT_GE(stage("wait").seconds, 0.1);
  }
  if (size() == 1) EXPECT_LT(stage("wait").seconds, 0.1) << "nobody to wait for";
}

}  // namespace
}  // namespace rankine::parallel
