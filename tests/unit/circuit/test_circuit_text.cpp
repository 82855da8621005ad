// Circuits in the words of gate lists: short, and read back as what they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "circuit/circuit_text.hpp"

namespace rankine::circuit {
namespace {

using testing::ElementsAre;

class CircuitTexts : public testing::Test {
 protected:
  const std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("rankine_" + std::to_string(getpid()) + ".text");
  ~CircuitTexts() override { std::filesystem::remove(file_); }

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

TEST_F(CircuitTexts, OfTheKickedIsingModelNameEachStepOnce) {
  CircuitOptions options{.steps = 4, .theta_h = {0.3}, .theta_j = -0.7, .final_rx_layer = true};
  const CircuitText text = circuit_text(options, 3, edges_);
  ASSERT_EQ(text.steps.size(), 2u);
  EXPECT_EQ(text.steps[0],
            "rx 0 theta_h\nrx 1 theta_h\nrx 2 theta_h\nrzz 0 1 theta_j\nrzz 2 1 theta_j\n");
  EXPECT_THAT(text.order, ElementsAre(0, 0, 0, 1));
  std::ofstream(file_) << text.gate_list();
  expect_same(read_gate_list(file_, 3, 0.3, -0.7), make_circuit(options, 0.3, 3, edges_));
}

TEST_F(CircuitTexts, OfGateListsAreThoseWithoutComments) {
  std::ofstream(file_) << "\xEF\xBB\xBF# mine\r\nrx  0 theta_h/2 # a kick\r\nstep\nstep\nrx 0 "
                          "theta_h/2\nstep\ncx 1 0";
  CircuitOptions options{.name = "gate-list", .file = file_.string()};
  const CircuitText text = circuit_text(options, 2, edges_);
  EXPECT_THAT(text.steps, ElementsAre("rx 0 theta_h/2\n", "", "cx 1 0\n"));
  EXPECT_THAT(text.order, ElementsAre(0, 1, 0, 2));
  const Circuit before = make_circuit(options, 0.3, 2, edges_);
  std::ofstream(file_) << text.gate_list();
  expect_same(make_circuit(options, 0.3, 2, edges_), before);
}

}  // namespace
}  // namespace rankine::circuit
