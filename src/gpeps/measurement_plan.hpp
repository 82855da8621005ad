// What a deck asks to be measured, turned into runs: which circuit to evolve, and what to read off
// after which step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"
#include "deck/schema.hpp"
#include "gpeps/options.hpp"
#include "lattice/cluster.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// How a value is read off the state.
enum class Readout {
  mean_field,  ///< one site in its mean-field environment
  cluster,     ///< a tree-shaped cluster, contracted exactly
  clifford,    ///< one site after an inverse Clifford circuit
};
const char* name_of(Readout readout);

/// An observable of the deck. Without a Pauli string it is the magnetization.
struct Observable {
  std::string text;  ///< as in the deck
  std::optional<circuit::PauliString> string;
  lattice::TreeCluster cluster;                  ///< for Readout::cluster
  std::vector<Readout> readouts;                 ///< per measured step
  std::vector<circuit::CliffordRoute> clifford;  ///< per measured step; used for Readout::clifford

  /// Name of its dataset: the text with `_` for spaces.
  std::string dataset() const;
};

struct MeasurementPlan {
  std::vector<int> measured_steps;  ///< 1-based, ascending
  std::vector<Observable> observables;
};

/// Reads the observables and chooses how each is measured at each measured step.
/// InputError (all problems together, with their place in the deck): a string that names no site of
/// the lattice, is given twice, or cannot be measured, with the reason.
MeasurementPlan plan_measurements(const deck::Schema& schema, const SimulateOptions& options,
                                  const lattice::Graph& graph);

/// One evolution from the product state. `reads[s]` lists the observables to read after step s
/// (0-based), in `column` of their result.
struct Run {
  struct Read {
    int observable = 0;
    int column = 0;
  };
  circuit::Circuit circuit;
  std::vector<std::vector<Read>> reads;
};

/// The runs of one point: the circuit itself for all that is read off directly, and one extended
/// circuit for every value by the Clifford route. Gates outside the causal cone of what is read are
/// already left out, if the deck wants that.
std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, double theta_h);

}  // namespace rankine::gpeps
