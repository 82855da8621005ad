// Every collective operation, with ranks that contribute nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <ctime>
#include <limits>
#include <numeric>
#include <thread>

#include "core/errors.hpp"
#include "own_rank.hpp"
#include "parallel/communicator.hpp"

namespace rankine::parallel {
namespace {

struct Peak {
  double height;
  int site;
  char label;
  bool operator==(const Peak&) const = default;
};

TEST(Communicator, DuplicateIsApartFromTheOriginal) {
  const Communicator copy = world().duplicate();
  EXPECT_EQ(copy.rank(), rank());
  EXPECT_EQ(copy.size(), size());
  EXPECT_NE(copy.handle(), world().handle());
  int result = MPI_UNEQUAL;
  MPI_Comm_compare(copy.handle(), world().handle(), &result);
  EXPECT_EQ(result, MPI_CONGRUENT);
}

TEST(Communicator, MovesItsHandle) {
  Communicator first = world().duplicate();
  const MPI_Comm handle = first.handle();
  Communicator second = std::move(first);
  EXPECT_EQ(second.handle(), handle);
  Communicator third = world().duplicate();
  third = std::move(second);
  EXPECT_EQ(third.handle(), handle);
  EXPECT_EQ(third.sum(1), size());
}

TEST(Communicator, SplitOrdersByKey) {
  const Communicator reversed = world().split(0, -rank());
  EXPECT_EQ(reversed.size(), size());
  EXPECT_EQ(reversed.rank(), size() - 1 - rank());
  const Communicator halves = world().split(rank() % 2, 0);
  EXPECT_EQ(halves.sum(1), rank() % 2 == 0 ? (size() + 1) / 2 : size() / 2);
}

TEST(Communicator, BroadcastsFromEveryRoot) {
  for (int root = 0; root < size(); ++root) {
    std::array<Peak, 2> peaks{};
    if (rank() == root) peaks = {Peak{0.5, root, 'a'}, Peak{-1, 7, 'b'}};
    world().broadcast(std::span<Peak>(peaks), root);
    EXPECT_EQ(peaks[0], (Peak{0.5, root, 'a'}));
    EXPECT_EQ(peaks[1], (Peak{-1, 7, 'b'}));
  }
}

TEST(Communicator, BroadcastsNothing) {
  std::vector<double> nothing;
  world().broadcast(std::span(nothing), size() - 1);
  EXPECT_TRUE(nothing.empty());
}

TEST(Communicator, BroadcastsTextsOfAnyLength) {
  const int root = size() - 1;
  const std::string mine = rank() == root ? std::string("heavy\0hex", 9) : "something longer here";
  EXPECT_EQ(world().broadcast(mine, root), std::string("heavy\0hex", 9));
  EXPECT_EQ(world().broadcast(rank() == root ? "" : "text", root), "");
}

/// Enters `wait` late on the last rank, and looks who left it when.
template <class Wait>
void expect_to_wait_for_the_last(Wait&& wait) {
  using Clock = std::chrono::steady_clock;  // The same clock for all ranks of a node.
  if (rank() == size() - 1) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto entered = Clock::now();
  wait();
  const auto left = Clock::now();
  EXPECT_GE(left.time_since_epoch().count(), world().max(entered.time_since_epoch().count()));
}

TEST(Communicator, BarrierLetsNobodyPassBeforeTheLastOneEnters) {
  expect_to_wait_for_the_last([] { world().barrier(); });
}

TEST(Communicator, LongWaitsLeaveTheProcessorToOthers) {
  world().barrier();
  const std::clock_t before = std::clock();
  expect_to_wait_for_the_last([] { world().wait_for_all(); });
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.1);
}

template <class T>
class Reductions : public testing::Test {};
using ReducedTypes = testing::Types<float, double, long double, char, signed char, unsigned char,
                                    short, int, long, long long, unsigned, unsigned long long>;
TYPED_TEST_SUITE(Reductions, ReducedTypes);

TYPED_TEST(Reductions, SumMaxAndMinOfRankNumbers) {
  const auto mine = static_cast<TypeParam>(rank() + 1);
  EXPECT_EQ(world().sum(mine), static_cast<TypeParam>(size() * (size() + 1) / 2));
  EXPECT_EQ(world().max(mine), static_cast<TypeParam>(size()));
  EXPECT_EQ(world().min(mine), TypeParam{1});
}

TYPED_TEST(Reductions, KeepTheSignAndTheLargestValue) {
  constexpr auto lowest = std::numeric_limits<TypeParam>::lowest();
  constexpr auto largest = std::numeric_limits<TypeParam>::max();
  EXPECT_EQ(world().max(rank() == 0 ? largest : lowest), largest);
  EXPECT_EQ(world().min(rank() == 0 ? lowest : largest), lowest);
}

TEST(Communicator, SumsComplexNumbers) {
  const std::complex<double> mine(1, rank());
  EXPECT_EQ(world().sum(mine), std::complex<double>(size(), size() * (size() - 1) / 2));
  EXPECT_EQ(world().sum(std::complex<float>(0, 1)),
            std::complex<float>(0, static_cast<float>(size())));
}

TEST(Communicator, SumsArraysInPlace) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), rank());
  world().sum(std::span(values));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], size() * static_cast<double>(i) + size() * (size() - 1) / 2);
  }
  std::vector<std::complex<float>> nothing;
  world().sum(std::span(nothing));
  EXPECT_TRUE(nothing.empty());
}

/// Rank r contributes r values; rank 0 nothing.
std::vector<Peak> peaks_of(int contributor) {
  std::vector<Peak> peaks;
  for (int i = 0; i < contributor; ++i) peaks.push_back({0.5 * i, contributor, 'p'});
  return peaks;
}

std::vector<Peak> peaks_of_all() {
  std::vector<Peak> peaks;
  for (int r = 0; r < size(); ++r) {
    for (const Peak& peak : peaks_of(r)) peaks.push_back(peak);
  }
  return peaks;
}

TEST(Communicator, GathersDifferentLengthsInRankOrder) {
  const std::vector<Peak> mine = peaks_of(rank());
  for (int root = 0; root < size(); ++root) {
    const std::vector<Peak> all = world().gather(std::span(mine), root);
    EXPECT_EQ(all, rank() == root ? peaks_of_all() : std::vector<Peak>());
  }
}

TEST(Communicator, GathersToAll) {
  const std::vector<Peak> mine = peaks_of(rank());
  EXPECT_EQ(world().all_gather(std::span(mine)), peaks_of_all());
}

TEST(Communicator, GathersNothingFromAnyone) {
  EXPECT_TRUE(world().gather(std::span<const double>(), 0).empty());
  EXPECT_TRUE(world().all_gather(std::span<const double>()).empty());
}

TEST(Communicator, RefusesToGatherBeyondThirtyTwoBitsOnAllRanks) {
  // Only the length is looked at before the refusal.
  const char value = 'x';
  const std::span<const char> mine(&value, rank() == 0 ? std::size_t{3'000'000'000} : 1);
  try {
    world().all_gather(mine);
    FAIL() << "not refused";
  } catch (const ResourceError& error) {
    EXPECT_EQ(error.agreed_by(), size());
    EXPECT_THAT(error.what(), testing::HasSubstr("2147483647"));
  }
}

TEST(Communicator, TurnsMpiErrorCodesIntoLibraryErrors) {
  std::vector<double> value(1);
  EXPECT_THROW(world().broadcast(std::span(value), size()), LibraryError);
}

}  // namespace
}  // namespace rankine::parallel
