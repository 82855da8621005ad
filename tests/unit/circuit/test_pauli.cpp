// Pauli strings: reading them, and carrying them through Clifford gates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "circuit/pauli.hpp"
#include "core/errors.hpp"

namespace rankine::circuit {
namespace {

using ::testing::HasSubstr;

std::string message(const std::string& text) {
  try {
    parse_pauli_string(text, 10);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PauliString, IsReadInAnyOrder) {
  const auto string = parse_pauli_string("X3  Z0 Y7", 10);
  EXPECT_EQ(string.text(), "Z0 X3 Y7");
  EXPECT_THAT(string.support(), ::testing::ElementsAre(0, 3, 7));
}

TEST(PauliString, RefusesWhatIsNoString) {
  EXPECT_THAT(message(""), HasSubstr("is empty"));
  EXPECT_THAT(message("W3"), HasSubstr("no Pauli letter"));
  EXPECT_THAT(message("Z"), HasSubstr("no Pauli letter"));
  EXPECT_THAT(message("Z3x"), HasSubstr("no Pauli letter"));
  EXPECT_THAT(message("Z10"), HasSubstr("site 10, which does not exist"));
  EXPECT_THAT(message("Z3 X3"), HasSubstr("site 3 twice"));
}

TEST(PullBack, FollowsTheCliffordGates) {
  const PauliString z{{{0, 'Z'}}, 1};
  // RX(pi/2): U^H Z U = -Y or +Y depending on the sense of rotation; here exp(-i pi/4 X).
  const auto kicked = pull_back(z, {rx(std::numbers::pi / 2), {0, -1}});
  ASSERT_TRUE(kicked);
  EXPECT_EQ(kicked->letters.at(0), 'Y');
  const auto back = pull_back(*kicked, {rx(-std::numbers::pi / 2), {0, -1}});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->letters, z.letters);
  EXPECT_EQ(back->sign, 1);
}

TEST(PullBack, GrowsAndShrinksThroughTwoSiteGates) {
  const PauliString x{{{1, 'X'}}, 1};
  const auto grown = pull_back(x, {fixed_gate("cz"), {1, 4}});
  ASSERT_TRUE(grown);
  EXPECT_EQ(grown->text(), "X1 Z4");
  EXPECT_EQ(pull_back(*grown, {fixed_gate("cz"), {4, 1}})->text(), "X1");
  EXPECT_EQ(pull_back(x, {fixed_gate("cx"), {1, 0}})->text(), "X0 X1");
}

TEST(PullBack, StopsAtGatesThatAreNotClifford) {
  const PauliString z{{{0, 'Z'}}, 1};
  EXPECT_FALSE(pull_back(z, {rx(0.3), {0, -1}}));
  EXPECT_EQ(pull_back(z, {rx(0.3), {1, -1}})->text(), "Z0") << "another site is untouched";
}

}  // namespace
}  // namespace rankine::circuit
