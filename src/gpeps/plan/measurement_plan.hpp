// What a deck asks to be measured, and how each of it is read after each measured step.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "circuit/parametric_circuit.hpp"
#include "deck/schema.hpp"
#include "gpeps/job/options.hpp"
#include "gpeps/observables/observable.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// A reading with the parts of observables that its values are.
struct PlannedReading {
  struct Target {
    int observable = 0;
    std::vector<int> parts;
  };
  ReadingPointer reading;
  std::vector<Target> targets;
};

/// A reading after one step of a run.
struct Read {
  int column = 0;   ///< which measured step
  int reading = 0;  ///< which of its readings
};

/// A state vector that several values are read from.
struct VectorPlan {
  std::vector<int> sites;
  circuit::Circuit extension;
  std::vector<Read> reads;
};

struct MeasurementPlan {
  std::vector<int> measured_steps;  ///< 1-based, ascending
  std::vector<std::shared_ptr<const Observable>> observables;
  std::vector<std::vector<PlannedReading>> readings;  ///< per measured step
  std::vector<VectorPlan> vectors;

  const PlannedReading& planned(const Read& read) const {
    return readings[read.column][read.reading];
  }
};

/// Reads the observables and chooses how each is measured at each measured step.
/// InputError (all problems together, with their place in the deck): a string that names no site of
/// the lattice or is given twice; a gate whose sites are no neighbours; an angle of the deck that
/// the gate list does not name.
MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph,
                                  const circuit::ParametricCircuit& circuit);

}  // namespace rankine::gpeps
