// Circuits with parameters: short in the words of gate lists, read back as what they were, and
// bound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circuit/parametric_circuit.hpp"

namespace rankine::circuit {
namespace {

using ::testing::ElementsAre;

class CircuitTexts : public ::testing::Test {
 protected:
  void expect_same(const Circuit& one, const Circuit& other) {
    ASSERT_EQ(one.n_steps(), other.n_steps());
    for (int s = 0; s < one.n_steps(); ++s) {
      ASSERT_EQ(one.steps[s].size(), other.steps[s].size());
      for (std::size_t g = 0; g < one.steps[s].size(); ++g) {
        EXPECT_EQ(one.steps[s][g].sites, other.steps[s][g].sites);
        EXPECT_TRUE(product(*adjoint(*one.steps[s][g].op), *other.steps[s][g].op)->is_identity());
      }
    }
  }

  const std::vector<std::pair<int, int>> edges_{{0, 1}, {2, 1}};
};

const std::vector<std::string> names{"theta_h", "theta_j"};
const Parameters point{{"theta_h", 0.3}, {"theta_j", -0.7}};

TEST_F(CircuitTexts, OfTheKickedIsingModelNameEachStepOnce) {
  const ParametricCircuit circuit = kicked_ising(4, true, 3, edges_);
  const CircuitText text = circuit.text();
  ASSERT_EQ(text.steps.size(), 2u);
  EXPECT_EQ(text.steps[0],
            "rx 0 theta_h\nrx 1 theta_h\nrx 2 theta_h\nrzz 0 1 theta_j\nrzz 2 1 theta_j\n");
  EXPECT_EQ(text.steps[1], text.steps[0] + "rx 0 theta_h\nrx 1 theta_h\nrx 2 theta_h\n");
  EXPECT_THAT(text.order, ElementsAre(0, 0, 0, 1));
  expect_same(parse_gate_list(text.gate_list(), "text", 3, names).bind(point), circuit.bind(point));
}

TEST_F(CircuitTexts, OfGateListsAreThoseWithoutComments) {
  const ParametricCircuit circuit = parse_gate_list(
      "\xEF\xBB\xBF# mine\r\nrx  0 theta_h/2 # a kick\r\nstep\nstep\nrx 0 theta_h/2\nstep\ncx 1 0",
      "text", 2, names);
  const CircuitText text = circuit.text();
  EXPECT_THAT(text.steps, ElementsAre("rx 0 theta_h/2\n", "", "cx 1 0\n"));
  EXPECT_THAT(text.order, ElementsAre(0, 1, 0, 2));
  expect_same(parse_gate_list(text.gate_list(), "text", 2, names).bind(point), circuit.bind(point));
}

TEST_F(CircuitTexts, ThatAreBoundShareTheirOperators) {
  const Circuit circuit = kicked_ising(3, false, 3, edges_).bind(point);
  ASSERT_EQ(circuit.n_steps(), 3);
  EXPECT_EQ(circuit.steps[0][0].op, circuit.steps[2][1].op);
  const Circuit written = parse_gate_list("rx 0 0.5\nrx 1 1/2\n", "text", 2, {}).bind({});
  EXPECT_EQ(written.steps[0][0].op, written.steps[0][1].op);
}

}  // namespace
}  // namespace rankine::circuit
