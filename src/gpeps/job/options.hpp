// The deck of rankine-simulate: its own sections [state], [measure], [parallel], [output] beside
// [lattice] and [circuit].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "circuit/options.hpp"
#include "deck/schema.hpp"
#include "lattice/options.hpp"
#include "run/run_options.hpp"

namespace rankine::gpeps {

struct StateOptions {
  std::vector<std::int64_t> max_bond_dimension{64};
  double discarded_weight_max = 1e-20;
  std::string precision = "complex128";
  bool causal_cone = true;
  std::string route = "gram";
};

struct MeasureOptions {
  std::vector<std::string> observables{"magnetization"};
  std::int64_t every = 1;
  std::string clifford_route = "automatic";
  double loop_flops_max = 1e12;
  std::int64_t state_vector_sites = 24;
};

struct SimulateOptions {
  std::string title;
  lattice::LatticeOptions lattice;
  circuit::CircuitOptions circuit;
  StateOptions state;
  MeasureOptions measure;
  run::ParallelOptions parallel;
  run::RunOptions run;
  std::string output_file;
};

/// Declares every keyword of rankine-simulate.
void declare_keywords(deck::Schema& schema, SimulateOptions& options);

/// Plans hold for every angle of a sweep, so they are made at one where no gate is special.
inline constexpr double generic_angle = 0.7390851332151607;

/// One simulation of a sweep.
struct Point {
  circuit::Parameters parameters;  ///< of the circuit
  std::int64_t max_bond_dimension = 1;
};
/// Every bond dimension with every angle, the angle running fastest.
std::vector<Point> sweep_points(const SimulateOptions& options);

/// The parameters of the deck with what is swept set to `value`.
circuit::Parameters parameters_at(const SimulateOptions& options, double value);

}  // namespace rankine::gpeps
