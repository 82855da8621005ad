// Every kind of error has its exit code, its message and the place where it was thrown.
#include <gtest/gtest.h>

#include <string_view>

#include "core/errors.hpp"

namespace rankine {
namespace {

TEST(Errors, CarryTheExitCodeOfTheirKind) {
  EXPECT_EQ(static_cast<int>(InputError("x").code()), 2);
  EXPECT_EQ(static_cast<int>(ResourceError("x").code()), 3);
  EXPECT_EQ(static_cast<int>(NumericalError("x").code()), 4);
  EXPECT_EQ(static_cast<int>(LibraryError("x").code()), 5);
}

TEST(Errors, TellMessageAndPlace) {
  const auto line_before = std::source_location::current().line();
  const InputError error("The deck is empty.");
  EXPECT_STREQ(error.what(), "The deck is empty.");
  EXPECT_EQ(error.where().line(), line_before + 1);
  EXPECT_NE(std::string_view(error.where().file_name()).find("test_errors.cpp"),
            std::string_view::npos);
}

TEST(Errors, KeepTheirKindWhenMarkedAsKnownToAll) {
  EXPECT_EQ(InputError("x").agreed_by(), 1);
  try {
    throw known_to_all(4, NumericalError("not finite"));
  } catch (const NumericalError& error) {
    EXPECT_EQ(error.agreed_by(), 4);
    EXPECT_STREQ(error.what(), "not finite");
  }
}

}  // namespace
}  // namespace rankine
