// What a deck asks to be measured, turned into runs: which circuit to evolve, and what to read off
// after which step.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"
#include "deck/schema.hpp"
#include "gpeps/job/forecast.hpp"
#include "gpeps/job/options.hpp"
#include "gpeps/measurement/reading.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// An observable of the deck. Without a Pauli string it is the magnetization.
struct Observable {
  std::string text;  ///< as in the deck
  std::optional<circuit::PauliString> string;
  std::vector<Reading> readings;      ///< per measured step; of a string
  std::vector<std::string> routes;    ///< per measured step
  std::vector<LoopsIgnored> ignored;  ///< per measured step; of the magnetization its worst site

  /// Name of its dataset: the text with `_` for spaces.
  std::string dataset() const;
  /// Whether no measured step leaves loops out.
  bool is_exact() const;
};

/// How Z of every site is read after one measured step, for the magnetization.
struct SitePlan {
  std::map<int, Factor> apart;        ///< sites that are not read in mean field
  std::map<int, int> shared;          ///< sites whose Z is an observable of the deck: which
  std::vector<LoopsIgnored> ignored;  ///< per site
};

/// What a run reads after one of its steps.
struct Read {
  int observable = 0;
  int column = 0;  ///< which measured step
  int factor = 0;  ///< of a string
  int site = -1;   ///< of the magnetization: one site, or all that are read in mean field
};

/// A state vector that several values are read from.
struct VectorPlan {
  std::vector<int> sites;
  circuit::Circuit extension;
  std::vector<Read> reads;
};

struct MeasurementPlan {
  std::vector<int> measured_steps;  ///< 1-based, ascending
  std::vector<Observable> observables;
  std::vector<SitePlan> sites;  ///< per measured step, when the magnetization is measured
  std::vector<VectorPlan> vectors;

  const Factor& factor(const Read& read) const;
};

/// Reads the observables and chooses how each is measured at each measured step.
/// InputError (all problems together, with their place in the deck): a string that names no site of
/// the lattice or is given twice; a gate whose sites are no neighbours; an angle of the deck that
/// the gate list does not name.
MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph,
                                  const circuit::ParametricCircuit& circuit);

/// One evolution from the product state. `reads[s]` lists what to read after step s (0-based).
struct Run {
  circuit::Circuit circuit;
  std::vector<std::vector<Read>> reads;
  std::vector<int> sites = {};  ///< of a state vector; empty for a tensor network
};

/// The runs of one point: the circuit itself for all that is read off directly, and one more for
/// every value with a run of its own; state vectors come last. Gates outside the causal cone of
/// what is read are already left out, if the deck wants that.
std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, const circuit::Circuit& circuit);

/// Forecast of one run, with what its readings cost.
Forecast forecast_run(const MeasurementPlan& plan, const lattice::Graph& graph, const Run& run,
                      std::int64_t max_bond_dimension);

}  // namespace rankine::gpeps
