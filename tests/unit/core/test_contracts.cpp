// A broken precondition is caught where contracts are on, and costs nothing where they are off.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "core/contracts.hpp"

namespace {

[[maybe_unused]] int count_evaluations(int& evaluations) { return ++evaluations; }

TEST(Contracts, CheckTheConditionOnlyWhereTheyAreOn) {
  [[maybe_unused]] int evaluations = 0;
  const auto call = [&] { RANKINE_EXPECTS(count_evaluations(evaluations) == 0, "zero wanted"); };
#ifdef RANKINE_CONTRACTS
  try {
    call();
    FAIL() << "the contract was not checked";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("contract broken: zero wanted"), std::string::npos);
  }
#else
  EXPECT_NO_THROW(call());
  EXPECT_EQ(evaluations, 0);
#endif
}

}  // namespace
