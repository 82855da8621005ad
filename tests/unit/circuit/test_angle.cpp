// Angles as people write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numbers>

#include "circuit/angle.hpp"

namespace rankine::circuit {
namespace {

const Parameters parameters{{"theta_h", 0.25}, {"theta_j", -0.5}};

double value(const char* text) {
  return Angle::parse(text)
      .value()
      .value(parameters)
      .value_or(std::numeric_limits<double>::quiet_NaN());
}

TEST(Angle, IsANumberWithOrWithoutSign) {
  EXPECT_EQ(value("0.4"), 0.4);
  EXPECT_EQ(value("+0.4"), 0.4);
  EXPECT_EQ(value("-.4e-1"), -0.04);
  EXPECT_EQ(value("1e-300"), 1e-300);
  EXPECT_EQ(value("1e-400"), 0);
  EXPECT_EQ(value("-1e-400"), 0);
  EXPECT_EQ(value("0.0001e-321"), 0);
}

TEST(Angle, IsAProductOfNumbersAndSymbols) {
  constexpr double pi = std::numbers::pi;
  EXPECT_EQ(value("pi"), pi);
  EXPECT_EQ(value("pi/2"), pi / 2);
  EXPECT_EQ(value("-3*pi/4"), -3 * pi / 4);
  EXPECT_EQ(value("2pi"), 2 * pi);
  EXPECT_EQ(value("-0.5pi/2/2"), -pi / 8);
  EXPECT_EQ(value("theta_h"), 0.25);
  EXPECT_EQ(value("-theta_j"), 0.5);
  EXPECT_EQ(value("+2*theta_h/theta_j"), -1);
  EXPECT_EQ(value("1e1theta_h"), 2.5);
}

TEST(Angle, IsNothingElse) {
  for (const char* text : {"",    "-",    "+",    "2pi_2", "pi2",   "2pi3",  "2**pi",   "2*",
                           "/2",  "--1",  "+-1",  "1+1",   "1-pi",  "-in.",  "theta2",  "1e400",
                           "1/0", "0x10", "(pi)", "1,5",   "1.2.3", "pi pi", "\xcf\x80"})
    EXPECT_FALSE(Angle::parse(text)) << text;
}

TEST(Angle, KnowsItsParametersAndItsWords) {
  const Angle angle = Angle::parse("-2theta_h/theta_j*pi").value();
  EXPECT_THAT(angle.parameters(), ::testing::ElementsAre("theta_h", "theta_j"));
  EXPECT_EQ(angle.text(), "-2theta_h/theta_j*pi");
  EXPECT_TRUE(Angle::parse("pi").value().parameters().empty());
  EXPECT_THAT(Angle::parse("pipi").value().parameters(), ::testing::ElementsAre("pipi"));
}

TEST(Angle, OfParametersMayHaveNoValue) {
  const Angle angle = Angle::parse("1/theta_h").value();
  EXPECT_EQ(angle.value({{"theta_h", 0.5}}), 2);
  EXPECT_FALSE(angle.value({{"theta_h", 0}}));
}

}  // namespace
}  // namespace rankine::circuit
