// Circuits from files: what is understood, and every line that is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "circuit/options.hpp"
#include "core/errors.hpp"

namespace rankine::circuit {
namespace {

using ::testing::HasSubstr;

class GateList : public ::testing::Test {
 protected:
  ParametricCircuit parse(const std::string& text) {
    return parse_gate_list(text, "circuit.gates", 4, {"theta_h", "theta_j"});
  }
  Circuit read(const std::string& text) {
    return parse(text).bind({{"theta_h", 0.25}, {"theta_j", -0.5}});
  }
  std::string message(const std::string& text) {
    try {
      read(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(GateList, ReadsGatesStepsAndAngles) {
  const Circuit circuit =
      read("# a circuit\nrx 0 theta_h\nrzz 1 2 -theta_j\nstep\nh 3  # last\ncx 3 0\nstep\n");
  ASSERT_EQ(circuit.n_steps(), 2);
  ASSERT_EQ(circuit.steps[0].size(), 2u);
  EXPECT_NEAR(std::abs((*circuit.steps[0][0].op)(0, 0) - std::cos(0.125)), 0, 1e-15);
  EXPECT_NEAR(std::abs((*circuit.steps[0][1].op)(0, 0) - std::polar(1.0, -0.25)), 0, 1e-15);
  EXPECT_EQ(circuit.steps[1][1].sites, (std::array{3, 0}));
  EXPECT_EQ(read("x 0\n").n_steps(), 1) << "a last step needs no closing line";
}

TEST_F(GateList, ReadsEveryGateWithItsAngles) {
  for (const auto& [name, kind] : gate_kinds()) {
    std::string line = name + (kind.n_sites == 1 ? " 2" : " 2 1");
    const std::vector<double> angles{0.4, -0.75 * std::numbers::pi, 0.125};
    const char* texts[] = {" +0.4", " -3*pi/4", " theta_h/2"};
    for (int k = 0; k < kind.n_angles; ++k) line += texts[k];
    const Gate gate = read(line).steps.at(0).at(0);
    EXPECT_EQ(gate.sites, (std::array{2, kind.n_sites == 1 ? -1 : 1})) << name;
    const auto expected = kind.make({angles.begin(), angles.begin() + kind.n_angles});
    EXPECT_TRUE(product(*adjoint(*expected), *gate.op)->is_identity()) << name;
    EXPECT_THAT(message(line + " 1"), HasSubstr("gate " + name + " takes")) << name;
  }
}

TEST_F(GateList, ComesFromAnyEditor) {
  const Circuit circuit = read("\xEF\xBB\xBFh 0\r\n\r\nstep\r\nrx 1\t1e-400\r\n");
  ASSERT_EQ(circuit.n_steps(), 2);
  EXPECT_TRUE(circuit.steps[1][0].op->is_identity());
  EXPECT_THAT(message("\xEF\xBB\xBF\r\nfoo\r\n"), HasSubstr(":2: unknown gate \"foo\". Known: "));
}

TEST_F(GateList, KnowsWhichAnglesOfTheDeckItUses) {
  const auto uses = [&](const char* text) {
    const ParametricCircuit circuit = parse(text);
    return std::pair(circuit.uses("theta_h"), circuit.uses("theta_j"));
  };
  EXPECT_EQ(uses("rx 0 0.5\n"), std::pair(false, false));
  EXPECT_EQ(uses("rx 0 2theta_h\n"), std::pair(true, false));
  EXPECT_EQ(uses("rx 0 1\nrzz 0 1 -theta_j # theta_h\n"), std::pair(false, true));
}

TEST_F(GateList, NamesLineAndReason) {
  EXPECT_THAT(message("h 0\nfoo 1\n"), HasSubstr(":2: unknown gate \"foo\""));
  EXPECT_THAT(message("rx 0\n"), HasSubstr(":1: gate rx takes 1 site and an angle"));
  EXPECT_THAT(message("cz 0\n"), HasSubstr("gate cz takes 2 sites"));
  EXPECT_THAT(message("h 4\n"), HasSubstr("site 4 does not exist"));
  EXPECT_THAT(message("h one\n"), HasSubstr("\"one\" is no site"));
  EXPECT_THAT(message("cz 1 1\n"), HasSubstr("acts twice on site 1"));
  EXPECT_THAT(message("rx 0 nan\n"), HasSubstr("\"nan\" is no angle"));
  EXPECT_THAT(message("# none\n"), HasSubstr("holds no gate"));
  EXPECT_THAT(message("u 0 1 2\n"), HasSubstr("gate u takes 1 site and 3 angles"));
  EXPECT_THAT(message("rx 0 2e\n"), HasSubstr("\"2e\" is no angle"));
  EXPECT_THAT(message("rx 0 phi\n"), HasSubstr("circuit.gates:1: \"phi\" is no angle"));
  EXPECT_THROW(load_circuit({.name = "gate-list", .file = "no_such.gates"}), InputError);
}

TEST_F(GateList, NamesTheLineOfAnAngleThatIsNotFiniteAtAPoint) {
  const ParametricCircuit circuit = parse("h 0\nrx 0 1/theta_h\n");
  EXPECT_EQ(circuit.bind({{"theta_h", 0.5}, {"theta_j", 0}}).n_steps(), 1);
  try {
    circuit.bind({{"theta_h", 0}, {"theta_j", 0}});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                ::testing::StartsWith("circuit.gates:2: the angle \"1/theta_h\" is not finite"));
  }
}

}  // namespace
}  // namespace rankine::circuit
