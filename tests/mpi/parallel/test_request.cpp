// Messages between ranks, and requests that are given up half way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "parallel/request.hpp"

namespace rankine::parallel {
namespace {

/// Beyond what MPI sends before a receive is posted.
constexpr std::size_t many = 1 << 20;

int right() { return (world().rank() + 1) % world().size(); }
int left() { return (world().rank() + world().size() - 1) % world().size(); }

std::vector<double> values_of(int rank, std::size_t n) {
  std::vector<double> values(n);
  std::iota(values.begin(), values.end(), 0.25 * rank);
  return values;
}

class Ring : public testing::TestWithParam<std::size_t> {};

TEST_P(Ring, CarriesValuesToTheNeighbour) {
  std::vector<double> received(GetParam(), -1);
  Request incoming = world().receive(std::span(received), left(), 3);
  std::vector<double> mine = values_of(world().rank(), GetParam());
  Request outgoing = world().send(std::span<const double>(mine), right(), 3);
  std::ranges::fill(mine, -2);  // The request has its own copy.
  outgoing.wait();
  incoming.wait();
  incoming.wait();  // A second time is harmless.
  EXPECT_EQ(received, values_of(left(), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Lengths, Ring, testing::Values(0, 1, 1000, many));

TEST(Request, OwnsWhatItSendsWithoutACopy) {
  std::vector<double> received(many), mine = values_of(world().rank(), many);
  Request incoming = world().receive(std::span(received), left(), 9);
  const std::span<const double> values(mine);
  {
    // Given up at once, it still arrives: the values live as long as MPI reads them.
    const Request abandoned = world().send(values, std::move(mine), right(), 9);
  }
  EXPECT_TRUE(mine.empty());
  incoming.wait();
  EXPECT_EQ(received, values_of(left(), many));
}

TEST(Request, MatchesByTag) {
  std::vector<int> first(1);
  std::vector<int> second(1);
  Request receive_second = world().receive(std::span(second), left(), 2);
  Request receive_first = world().receive(std::span(first), left(), 1);
  const std::vector<int> one = {1};
  const std::vector<int> two = {2};
  Request send_first = world().send(std::span(one), right(), 1);
  Request send_second = world().send(std::span(two), right(), 2);
  for (Request* request : {&receive_first, &receive_second, &send_first, &send_second}) {
    request->wait();
  }
  EXPECT_EQ(first[0], 1);
  EXPECT_EQ(second[0], 2);
}

TEST(Request, MovesWithTheMessageUnderWay) {
  std::vector<double> received(many);
  std::vector<Request> requests;
  requests.push_back(world().receive(std::span(received), left(), 4));
  const std::vector<double> mine = values_of(world().rank(), many);
  requests.push_back(world().send(std::span(mine), right(), 4));
  Request moved;
  moved = std::move(requests[0]);
  requests[1].wait();
  moved.wait();
  EXPECT_EQ(received, values_of(left(), many));
}

TEST(Request, AbandonedReceiveWritesNoMore) {
  const std::vector<double> mine = values_of(world().rank(), many);
  std::vector<double> abandoned(many, -1);
  { const Request request = world().receive(std::span(abandoned), left(), 5); }
  world().barrier();
  std::vector<double> received(many);
  Request incoming = world().receive(std::span(received), left(), 5);
  Request outgoing = world().send(std::span(mine), right(), 5);
  outgoing.wait();
  incoming.wait();
  EXPECT_EQ(received, values_of(left(), many));
  EXPECT_EQ(abandoned, std::vector<double>(many, -1));
}

TEST(Request, AbandonedSendNeitherBlocksNorLosesItsValues) {
  {
    const std::vector<double> mine = values_of(world().rank(), many);
    const Request request = world().send(std::span(mine), right(), 6);
  }
  world().barrier();
  std::vector<double> received(many);
  world().receive(std::span(received), left(), 6).wait();
  EXPECT_EQ(received, values_of(left(), many));
}

TEST(Request, UnwindsOnAllRanksWithMessagesUnderWay) {
  const Communicator ring = world().duplicate();
  std::vector<double> received(many);
  const auto exchange = [&] {
    const std::vector<double> mine = values_of(ring.rank(), many);
    const Request incoming = ring.receive(std::span(received), left(), 7);
    const Request outgoing = ring.send(std::span(mine), right(), 7);
    throw NumericalError("The state is not finite.");
  };
  EXPECT_THROW(exchange(), NumericalError);
  EXPECT_EQ(world().sum(1), world().size());
}

TEST(Request, RefusesAMessageOfAnotherLength) {
  const std::vector<int> two = {1, 2};
  for (const std::size_t expected : {1U, 3U}) {
    // Open MPI cuts a message to oneself without a word.
    if (world().size() == 1 && expected < two.size()) continue;
    std::vector<int> received(expected);
    Request incoming = world().receive(std::span(received), left(), 8);
    Request outgoing = world().send(std::span(two), right(), 8);
    EXPECT_THROW(incoming.wait(), LibraryError) << expected;
    outgoing.wait();
  }
}

}  // namespace
}  // namespace rankine::parallel
