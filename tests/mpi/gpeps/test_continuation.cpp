// Points that are stopped between any two steps and gone on with: nothing that was finished is
// computed again, and the values are those of the straight run.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "gpeps/simulation.hpp"
#include "stored_arrays.hpp"

namespace rankine::gpeps {
namespace {

using rankine::testing::StoredArrays;

/// A ring with tails and a triangle apart, whose strings need runs of their own.
class PointInProgress : public ::testing::Test {
 protected:
  PointInProgress() {
    std::vector<lattice::Edge> edges;
    for (int site = 0; site < 6; ++site) edges.push_back({site, (site + 1) % 6});
    for (int site = 0; site < 4; ++site) edges.push_back({site, 6 + site});
    for (int site = 0; site < 3; ++site) edges.push_back({10 + site, 10 + (site + 1) % 3});
    lattice::colour_greedily(13, edges);
    graph_ = {"ring with tails", 13, edges};
    declare_keywords(schema_, options_);
    options_.circuit.theta_h = {0.7};
    options_.circuit.theta_j = -1.1;
    options_.state.max_bond_dimension = {3};
    options_.measure.observables = {"magnetization", "X0 Y1", "Z7", "X6 Z9", "Y10 Z11"};
    options_.measure.loop_flops_max = 1e7;
    circuit_ = circuit::make_circuit(options_.circuit, {}, 13, graph_.pairs_by_colour());
    plan_with(6);
  }
  /// With few sites for state vectors, strings need networks of their own.
  void plan_with(int state_vector_sites) {
    options_.measure.state_vector_sites = state_vector_sites;
    plan_ = plan_measurements(schema_, options_, graph_, circuit_);
  }
  Job job() const { return {options_, graph_, circuit_, plan_}; }
  Point point() const { return sweep_points(options_).front(); }

  struct Stopped {};
  /// A point as it was stored between two steps.
  struct Stored {
    std::vector<double> progress;
    StoredArrays arrays;
  };

  /// Stores the point at its `pause`-th pause and stops there; nothing when it ends before.
  std::optional<Stored> stored_at(int pause, const parallel::Communicator& team) const {
    std::optional<Stored> stored;
    int count = 0;
    try {
      simulate_point(job(), point(), team, silent_, {.between_steps = [&](const Pause& now) {
                       if (count++ < pause) return;
                       stored.emplace();
                       stored->progress = packed(now.progress);
                       stored->arrays = StoredArrays(now.state_arrays(), team);
                       throw Stopped();
                     }});
    } catch (const Stopped&) {
    }
    return stored;
  }

  PointResult gone_on_with(const Stored& stored, const parallel::Communicator& team) {
    const PointProgress progress = unpacked_progress(stored.progress, plan_);
    n_steps_told_ = 0;
    return simulate_point(
        job(), point(), team,
        [&](double, const std::string& text) { n_steps_told_ += text.starts_with("step"); },
        {.from = &progress, .state = &stored.arrays});
  }

  /// All numbers but the time.
  static std::vector<double> numbers(const PointResult& result) {
    std::vector<double> all = packed(result);
    all.erase(all.begin());
    return all;
  }

  lattice::Graph graph_;
  SimulateOptions options_;
  deck::Schema schema_;
  circuit::ParametricCircuit circuit_;
  MeasurementPlan plan_;
  int n_steps_told_ = 0;
  const Report silent_ = [](double, const std::string&) {};
};

TEST_F(PointInProgress, OnTheSameRanksGivesTheSameBits) {
  int n_steps = 0;
  const auto straight =
      numbers(simulate_point(job(), point(), world(), [&](double, const std::string& text) {
        n_steps += text.starts_with("step");
      }));
  int pause = 0, with_state = 0, without = 0;
  while (const auto stored = stored_at(pause, world())) {
    (stored->arrays.shapes.empty() ? without : with_state) += 1;
    const auto again = numbers(gone_on_with(*stored, world()));
    EXPECT_EQ(std::memcmp(again.data(), straight.data(), straight.size() * sizeof(double)), 0)
        << "stopped at pause " << pause;
    EXPECT_EQ(n_steps_told_, n_steps - pause - 1) << "no step is taken twice";
    ++pause;
  }
  EXPECT_EQ(pause, plan_.vectors.empty() ? n_steps - 1 : n_steps) << "between all steps";
  EXPECT_GE(with_state, 8);
  EXPECT_GE(without, 2) << "this test wants several runs";
}

TEST_F(PointInProgress, OnOtherRanksGivesTheSameValues) {
  const auto straight = numbers(simulate_point(job(), point(), world(), silent_));
  const auto alone = world().split(world().rank(), 0);
  for (const int pause : {0, 3, 6}) {
    const auto stored = stored_at(pause, world()), stored_alone = stored_at(pause, alone);
    ASSERT_TRUE(stored && stored_alone);
    for (const auto& again : {gone_on_with(*stored, alone), gone_on_with(*stored_alone, world())}) {
      const auto found = numbers(again);
      for (std::size_t k = 0; k < straight.size(); ++k) {
        EXPECT_EQ(std::isnan(found[k]), std::isnan(straight[k])) << k;
        if (!std::isnan(straight[k])) {
          EXPECT_NEAR(found[k], straight[k], 1e-12) << k;
        }
      }
    }
  }
}

TEST_F(PointInProgress, ComputesNoStateVectorAgainThatIsFinished) {
  plan_with(10);
  const PointResult whole = simulate_point(job(), point(), world(), silent_);
  const auto runs = plan_runs(plan_, options_, graph_, circuit_.bind(point().parameters));
  const auto is_vector = [](const gpeps::Run& run) { return run.is_vector(); };
  const auto first = std::ranges::find_if(runs, is_vector);
  ASSERT_GE(runs.end() - first, 2) << "this test wants state vectors";
  PointProgress progress{static_cast<int>(first - runs.begin()), 0, whole};
  const auto forget = [&](const gpeps::Run& run) {
    for (const auto& reads : run.reads)
      for (const Read& read : reads) enter(plan_, read, {Value{}}, progress.result);
  };
  forget(*first);
  int n_vectors = 0;
  const auto again = simulate_point(job(), point(), world(),
                                    [&](double, const std::string& text) {
                                      EXPECT_THAT(text, ::testing::StartsWith("state vector 1/"));
                                      ++n_vectors;
                                    },
                                    {.from = &progress});
  EXPECT_EQ(n_vectors, 1);
  const auto found = numbers(again), expected = numbers(whole);
  EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(double)), 0);
}

TEST_F(PointInProgress, ThatDoesNotFitIsRefused) {
  const auto stored = stored_at(1, world());
  ASSERT_TRUE(stored);
  const auto refusal = [&](PointProgress progress, const ArraySource* state) -> std::string {
    try {
      simulate_point(job(), point(), world(), silent_, {.from = &progress, .state = state});
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  const PointProgress good = unpacked_progress(stored->progress, plan_);
  EXPECT_EQ(good.step, 2);
  for (const auto& [run, step] : {std::pair(0, 99), {99, 0}, {0, 5}})
    EXPECT_THAT(refusal({run, step, good.result}, &stored->arrays),
                ::testing::HasSubstr("does not fit the deck"));
  EXPECT_THAT(refusal(good, nullptr), ::testing::HasSubstr("does not fit the deck"));
  std::vector<double> numbers = stored->progress;
  numbers.erase(numbers.begin());
  EXPECT_THROW(unpacked_progress(numbers, plan_), InputError);
  numbers = stored->progress;
  numbers.back() = 1.5;
  EXPECT_THROW(unpacked_progress(numbers, plan_), InputError);
  EXPECT_THROW(unpacked_progress({}, plan_), InputError);
}

TEST_F(PointInProgress, GoesOnBeforeItsStateVectors) {
  plan_with(10);
  const auto straight = numbers(simulate_point(job(), point(), world(), silent_));
  const auto stored = stored_at(4, world());
  ASSERT_TRUE(stored) << "after the last step of the network";
  EXPECT_TRUE(stored->arrays.shapes.empty());
  const auto again = numbers(gone_on_with(*stored, world()));
  EXPECT_EQ(n_steps_told_, 0);
  EXPECT_EQ(std::memcmp(again.data(), straight.data(), straight.size() * sizeof(double)), 0);
}

class SinglePrecision : public PointInProgress {
 protected:
  SinglePrecision() { options_.state.precision = "complex64"; }
};

TEST_F(SinglePrecision, GoesOnWithTheSameBits) {
  const auto straight = numbers(simulate_point(job(), point(), world(), silent_));
  const auto stored = stored_at(3, world());
  ASSERT_TRUE(stored);
  const auto again = numbers(gone_on_with(*stored, world()));
  EXPECT_EQ(std::memcmp(again.data(), straight.data(), straight.size() * sizeof(double)), 0);
}

}  // namespace
}  // namespace rankine::gpeps
