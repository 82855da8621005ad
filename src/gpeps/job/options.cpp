#include "gpeps/job/options.hpp"

namespace rankine::gpeps {

namespace {

void declare_state(deck::Schema& schema, StateOptions& state) {
  auto section = schema.section("state", "How the quantum state is stored and truncated.");
  section.keyword("max_bond_dimension", state.max_bond_dimension)
      .range(1, 65536)
      .describe(
          "Largest bond dimension kept by a bond update; a list gives one point for each value and "
          "angle.");
  section.keyword("discarded_weight_max", state.discarded_weight_max)
      .at_least(0)
      .below(1)
      .describe(
          "A bond update may discard this much of the squared singular values, relative to their "
          "sum; observables feel up to its square root, so 1e-20 keeps ten digits and more.");
  section.keyword("precision", state.precision)
      .choices({"complex128", "complex64"})
      .describe("Numbers of the site tensors; complex64 halves memory and time.");
  section.keyword("causal_cone", state.causal_cone)
      .describe("Skip gates that cannot change what is still to be measured.");
  section.keyword("route", state.route)
      .choices({"gram", "qr"})
      .describe(
          "Factorisation of a bond update: gram is fast, qr keeps small singular values and is the "
          "check; gates that are not "
          "diagonal always take qr.");
}

void declare_measure(deck::Schema& schema, MeasureOptions& measure) {
  auto section = schema.section("measure", "What is measured, and when.");
  section.keyword("observables", measure.observables)
      .describe(
          "\"magnetization\" (mean of Z) and Pauli strings such as \"Z62\" or \"X13 Y9 Z8\".");
  section.keyword("every", measure.every)
      .at_least(1)
      .unit("steps")
      .describe("Steps between measurements; the last step is always measured.");
  section.keyword("clifford_route", measure.clifford_route)
      .choices({"automatic", "never"})
      .describe(
          "Undo Clifford layers after the circuit where that makes a string easier to measure.");
  section.keyword("loop_flops_max", measure.loop_flops_max)
      .at_least(0)
      .unit("flops")
      .describe(
          "Contract all loops in the light cone of a value exactly where that takes no more than "
          "this (for the magnetization: all sites of one step together); beyond it, and with 0, "
          "loops are left to the mean-field environment, and the result says so.");
  section.keyword("state_vector_sites", measure.state_vector_sites)
      .range(0, 34)
      .unit("sites")
      .describe(
          "A value whose light cone closes loops and holds at most this many sites may be read "
          "from a state vector of those sites, 16 B for each of 2^sites amplitudes; with 0 none "
          "is.");
}

}  // namespace

void declare_keywords(deck::Schema& schema, SimulateOptions& options) {
  schema.keyword("title", options.title)
      .describe("A sentence about the run; stands in tables and figures.");
  lattice::declare_keywords(schema, options.lattice);
  circuit::declare_keywords(schema, options.circuit);
  declare_state(schema, options.state);
  declare_measure(schema, options.measure);

  run::declare_parallel(
      schema, options.parallel,
      "Teams of ranks that compute different points at the same time; each team partitions the "
      "lattice over its ranks.");
  run::declare_run(schema, options.run);
  run::declare_output(schema, options.output_file);
}

std::vector<Point> sweep_points(const SimulateOptions& options) {
  std::vector<Point> points;
  for (std::int64_t bond_dimension : options.state.max_bond_dimension)
    for (double theta_h : options.circuit.theta_h)
      points.push_back({parameters_at(options, theta_h), bond_dimension});
  return points;
}

circuit::Parameters parameters_at(const SimulateOptions& options, double value) {
  return {{"theta_h", value}, {"theta_j", options.circuit.theta_j}};
}

}  // namespace rankine::gpeps
