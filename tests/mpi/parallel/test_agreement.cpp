// What one rank throws, every rank throws: the same kind, the same message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "own_rank.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"

namespace rankine::parallel {
namespace {

/// The message, if `work` throws just this type on this rank.
template <class ErrorKind>
std::string agreed_message(const std::function<void()>& work) {
  try {
    agree_on_failure(world(), work);
  } catch (const ErrorKind& error) {
    EXPECT_EQ(typeid(error), typeid(ErrorKind));
    EXPECT_EQ(error.agreed_by(), size());
    return error.what();
  }
  return "nothing of that kind was thrown";
}

/// As a single rank has nobody to tell from, it stays unnamed.
std::string noticed_by(int origin, const std::string& message) {
  return size() == 1 ? message : "rank " + std::to_string(origin) + ": " + message;
}

template <class ErrorKind>
class AgreementOn : public testing::Test {};
using ErrorKinds = testing::Types<InputError, ResourceError, NumericalError, LibraryError>;
TYPED_TEST_SUITE(AgreementOn, ErrorKinds);

TYPED_TEST(AgreementOn, WhatAnySingleRankThrows) {
  for (int origin = 0; origin < size(); ++origin) {
    EXPECT_EQ(agreed_message<TypeParam>([&] {
                if (rank() == origin) throw TypeParam("It went wrong.");
              }),
              noticed_by(origin, "It went wrong."));
  }
}

TYPED_TEST(AgreementOn, WhatAllThrowAlikeNamesNoRank) {
  EXPECT_EQ(agreed_message<TypeParam>([] { throw TypeParam("It went wrong."); }), "It went wrong.");
}

TEST(Agreement, BetweenTeamsSpreadsWhatATeamAgreedOn) {
  const Teams teams(world(), std::min(2, size()));
  for (int failing = 0; failing < teams.count(); ++failing) {
    // The last rank of a team fails before the team would communicate; the other team goes on.
    std::string message = "no error";
    try {
      agree_between_teams(world(), teams.team(), [&] {
        agree_on_failure(teams.team(), [&] {
          if (teams.index() == failing && teams.team().rank() == teams.team().size() - 1)
            throw NumericalError("It went wrong.");
        });
        EXPECT_EQ(teams.team().sum(1), teams.team().size());
      });
    } catch (const NumericalError& error) {
      EXPECT_EQ(error.agreed_by(), size());
      message = error.what();
    }
    EXPECT_THAT(message, testing::EndsWith("It went wrong."));
    EXPECT_EQ(world().broadcast(message, 0), message);
  }
  EXPECT_EQ(agree_between_teams(world(), teams.team(), [&] { return teams.team().sum(1); }),
            teams.team().size());
}

TEST(Agreement, PostponesAFailureUntilAllCanHear) {
  PostponedFailure failure;
  int steps = 0;
  for (int step = 0; step < 3; ++step) {
    failure.guard([&] {
      ++steps;
      if (rank() == size() - 1 && step == 1) throw ResourceError("No memory.");
    });
    EXPECT_EQ(world().sum(1), size()) << "a failing rank goes on communicating";
  }
  EXPECT_EQ(steps, rank() == size() - 1 ? 2 : 3);
  EXPECT_THROW(agree_on(world(), failure.get()), ResourceError);
  EXPECT_THROW(agree_on_failure(world(), [&] { failure.rethrow(); }), ResourceError);
}

TEST(Agreement, OnSuccessHandsTheResultOn) {
  EXPECT_EQ(agree_on_failure(world(), [] { return rank() + 10; }), rank() + 10);
  const auto owned = agree_on_failure(world(), [] { return std::make_unique<int>(3); });
  EXPECT_EQ(*owned, 3);
  EXPECT_NO_THROW(agree_on_failure(world(), [] {}));
}

TEST(Agreement, CountsAFailedAllocationAsAResourceError) {
  EXPECT_THAT(agreed_message<ResourceError>([] {
                if (rank() == size() - 1) throw std::bad_alloc();
              }),
              testing::StartsWith(noticed_by(size() - 1, "Out of memory")));
}

TEST(Agreement, CountsOtherExceptionsAsInternal) {
  const auto throw_last = [](const auto& exception) {
    return [&exception] {
      if (rank() == size() - 1) throw exception;
    };
  };
  try {
    agree_on_failure(world(), throw_last(std::out_of_range("index 7")));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_EQ(error.what(), noticed_by(size() - 1, "index 7"));
  }
  try {
    agree_on_failure(world(), throw_last(42));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
  }
}

TEST(Agreement, OfDifferentFailuresTakesTheLowestRank) {
  EXPECT_EQ(agreed_message<NumericalError>([] {
              if (rank() == 0) throw NumericalError("not finite");
              throw InputError("on the others");
            }),
            size() == 1 ? "not finite" : "rank 0: not finite");
}

TEST(Agreement, ReachedInsideIsPassedOnUnchanged) {
  EXPECT_EQ(agreed_message<InputError>([] {
              agree_on_failure(world(), [] {
                if (rank() == size() - 1) throw InputError("deep inside");
              });
            }),
            noticed_by(size() - 1, "deep inside"));
}

TEST(Agreement, OfATeamIsOnlyThatTeams) {
  const Teams teams(world(), size() > 1 ? 2 : 1);
  const auto fail_in_last_team = [&] {
    if (teams.index() == teams.count() - 1) throw NumericalError("not finite");
  };
  if (teams.index() < teams.count() - 1) {
    EXPECT_NO_THROW(agree_on_failure(teams.team(), fail_in_last_team));
  } else {
    try {
      agree_on_failure(teams.team(), fail_in_last_team);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const NumericalError& error) {
      EXPECT_EQ(error.agreed_by(), teams.team().size());
    }
  }
  EXPECT_THAT(
      agreed_message<NumericalError>([&] { agree_on_failure(teams.team(), fail_in_last_team); }),
      testing::EndsWith("not finite"));
}

TEST(Agreement, LeavesTheCommunicatorUsable) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_THROW(agree_on_failure(world(),
                                  [&] {
                                    if (rank() == i % size()) throw InputError("once more");
                                  }),
                 InputError);
    EXPECT_EQ(world().sum(1), size());
  }
}

}  // namespace
}  // namespace rankine::parallel
