// What one rank alone notices in a simulation, all ranks of all teams hear; nothing hangs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "gpeps/state/evolution.hpp"
#include "gpeps/sweep.hpp"
#include "lattice/partition.hpp"
#include "parallel/agreement.hpp"
#include "parallel/teams.hpp"
#include "whole_sweep.hpp"

namespace rankine::gpeps {
namespace {

bool i_am_last() { return world().rank() == world().size() - 1; }

/// What all ranks throw: the same error on each, and each knows that all have it.
std::string error_of_all(const std::function<void()>& work) {
  std::string message = "no error";
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.agreed_by(), world().size());
    message = error.what();
  }
  EXPECT_EQ(world().broadcast(message, 0), message);
  return message;
}

circuit::ParametricCircuit gates(const std::string& angle) {
  return circuit::parse_gate_list(
      "h 0\ncx 0 1\nstep\nrx 2 " + angle + "\ncx 1 2\nstep\ncx 2 3\ncx 3 4\n", "chain.gates", 5,
      {"theta_h"});
}

/// A small job on a chain.
class Failing : public ::testing::TestWithParam<int> {
 protected:
  Failing() : graph_("chain", 5, {{0, 1, 0}, {1, 2, 1}, {2, 3, 0}, {3, 4, 1}}) {
    options_.circuit.name = "gate-list";
    options_.circuit.theta_h = {0.1, 0.2, 0.3};
    options_.parallel.teams = GetParam();
    deck::Schema schema;
    declare_keywords(schema, options_);
    plan_ = plan_measurements(schema, options_, graph_, circuit_);
  }
  Job job() const { return {options_, graph_, circuit_, plan_}; }
  Point point() const { return {parameters_at(options_, 0.2), 8}; }

  lattice::Graph graph_;
  SimulateOptions options_;
  circuit::ParametricCircuit circuit_ = gates("theta_h");
  MeasurementPlan plan_;
};

TEST_P(Failing, ReportOfOneRankIsAnErrorOfAll) {
  if (GetParam() > world().size()) return;
  const parallel::Teams teams(world(), GetParam());
  const std::string message = error_of_all([&] {
    parallel::agree_between_teams(world(), teams.team(), [&] {
      simulate_point(job(), point(), teams.team(), [&](double, const std::string& text) {
        if (i_am_last() && text.starts_with("step 2/")) throw ResourceError("The disk is full.");
      });
    });
  });
  EXPECT_THAT(message, ::testing::EndsWith("The disk is full."));
}

TEST_P(Failing, CircuitThatOneRankCannotBindIsAnErrorOfAll) {
  if (GetParam() > world().size()) return;
  if (i_am_last()) circuit_ = gates("1e300*1e300/theta_h");
  EXPECT_THAT(error_of_all([&] { whole_sweep(job()); }),
              ::testing::HasSubstr("chain.gates:4: the angle \"1e300*1e300/theta_h\""));
  const parallel::Teams teams(world(), GetParam());
  const std::string message = error_of_all([&] {
    parallel::agree_between_teams(world(), teams.team(), [&] {
      simulate_point(job(), point(), teams.team(), [](double, const std::string&) {});
    });
  });
  EXPECT_THAT(message, ::testing::HasSubstr("is not finite"));
}

INSTANTIATE_TEST_SUITE_P(Teams, Failing, ::testing::Values(1, 2));

TEST(Evolution, TellsAllRanksWhatTheOneThatDecidesOnABondNoticed) {
  // The state becomes zero: only the truncation of the bond notices, on one of its two ranks.
  std::vector<circuit::Complex> elements(16);
  elements[15] = 1;
  const auto projector = std::make_shared<circuit::Operator>("projector", 2, 2, elements);
  const lattice::Graph graph("chain", 5, {{0, 1, 0}, {1, 2, 1}, {2, 3, 0}, {3, 4, 1}});
  for (int site = 0; site < 4; ++site) {
    std::vector<int> owner;
    for (int k = 0; k < 5; ++k) owner.push_back(k % world().size());
    Evolution<circuit::Complex> state(graph, owner, world(), {});
    state.apply({{projector, {site, site + 1}}});
    EXPECT_THAT(error_of_all([&] { state.record(); }), ::testing::HasSubstr("is zero"));
    EXPECT_THAT(error_of_all([&] { state.bond_dimensions(); }), ::testing::HasSubstr("is zero"));
  }
}

}  // namespace
}  // namespace rankine::gpeps
