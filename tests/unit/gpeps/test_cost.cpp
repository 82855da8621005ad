// Predictions of simulations: what must hold whatever the machine.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "deck/read.hpp"
#include "gpeps/cost.hpp"

namespace rankine::gpeps {
namespace {

/// A deck, read, as a job.
class DeckJob {
 public:
  explicit DeckJob(const std::string& text)
      : options_(read(text)),
        graph_(lattice::make_lattice(options_.lattice)),
        circuit_(circuit::make_circuit(options_.circuit, "", graph_.n_sites(),
                                       graph_.pairs_by_colour())),
        plan_(plan_measurements(schema_, options_, graph_, circuit_)) {}

  std::map<std::string, run::StageCost> cost(const run::MachineModel& model, int ranks) const {
    std::map<std::string, run::StageCost> found;
    for (const run::StageCost& stage : gpeps::cost(
             {options_, graph_, circuit_, plan_}, run::Pace(model, run::place(model, ranks, 1))))
      found[stage.stage] = stage;
    return found;
  }

 private:
  SimulateOptions& read(const std::string& text) {
    declare_keywords(schema_, options_);
    deck::read_text(schema_, text + "\n[output]\nfile = \"out.h5\"\n", "deck.toml");
    return options_;
  }

  deck::Schema schema_;
  SimulateOptions options_;
  lattice::Graph graph_;
  circuit::ParametricCircuit circuit_;
  MeasurementPlan plan_;
};

run::MachineModel cluster() {
  run::MachineModel model;
  model.node = {.nodes = 64, .cores = 8, .memory = 64, .core_bandwidth = 10, .bandwidth = 80};
  return model;
}

std::string deck_text(int bond_dimension, const std::string& angles = "[0.6]") {
  return "[lattice]\nname = \"eagle\"\n[circuit]\nsteps = 8\ntheta_h = " + angles +
         "\n[state]\ncausal_cone = false\nmax_bond_dimension = " + std::to_string(bond_dimension) +
         "\n[measure]\nloop_flops_max = 0\nevery = 8\n";
}

TEST(Cost, CountsTheSameFlopsOnAnyRanks) {
  const DeckJob job(deck_text(16));
  const run::MachineModel model = cluster();
  const double one = job.cost(model, 1).at("evolution").flops;
  EXPECT_GT(one, 0);
  for (const int ranks : {2, 5, 64, 200})
    EXPECT_DOUBLE_EQ(job.cost(model, ranks).at("evolution").flops, one);
}

TEST(Cost, BusyTimeIsSharedAndTheSlowestRankIsWaitedFor) {
  const DeckJob job(deck_text(32));
  const run::MachineModel model = cluster();
  const double one = job.cost(model, 1).at("evolution").seconds;
  for (const int ranks : {2, 4, 8}) {
    auto stages = job.cost(model, ranks);
    EXPECT_NEAR(stages["evolution"].seconds, one / ranks, 1e-9 * one);
    EXPECT_GT(stages["waiting for other ranks"].seconds, 0);
    EXPECT_LT(stages["evolution"].seconds + stages["waiting for other ranks"].seconds, one);
  }
}

TEST(Cost, OneRankNeitherWaitsNorSends) {
  auto stages = DeckJob(deck_text(16)).cost(cluster(), 1);
  EXPECT_EQ(stages.count("messages"), 0u);
  EXPECT_NEAR(stages["waiting for other ranks"].seconds, 0, 1e-12);
}

TEST(Cost, RanksBeyondTheSitesGainNothing) {
  const DeckJob job(deck_text(32));
  const run::MachineModel model = cluster();
  const auto busy = [&](int ranks) {
    auto stages = job.cost(model, ranks);
    return stages["evolution"].seconds + stages["waiting for other ranks"].seconds;
  };
  EXPECT_NEAR(busy(127), busy(400), 1e-9 * busy(127));
}

TEST(Cost, GrowsByTheFourthPowerOfTheBondDimension) {
  const run::MachineModel model = cluster();
  const auto flops = [&](int bond_dimension) {
    return DeckJob(deck_text(bond_dimension)).cost(model, 1).at("evolution").flops;
  };
  EXPECT_GT(flops(32), 4 * flops(16));
  EXPECT_LT(flops(32), 16 * flops(16)) << "some steps are below the limit in both";
}

TEST(Cost, PointsAddUpAndTeamsShareThem) {
  const run::MachineModel model = cluster();
  const double one = DeckJob(deck_text(16)).cost(model, 1).at("evolution").seconds;
  EXPECT_NEAR(DeckJob(deck_text(16, "[0.2, 0.4, 0.6]")).cost(model, 1).at("evolution").seconds, 3 * one,
              1e-9 * one);
  const std::string teams = "[parallel]\nteams = 3\n";
  EXPECT_NEAR(DeckJob(deck_text(16, "[0.2, 0.4, 0.6]") + teams).cost(model, 3).at("evolution").seconds,
              one, 1e-9 * one);
}

}  // namespace
}  // namespace rankine::gpeps
