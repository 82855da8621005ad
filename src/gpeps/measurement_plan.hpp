// What a deck asks to be measured, turned into runs: which circuit to evolve, and what to read off
// after which step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"
#include "deck/schema.hpp"
#include "gpeps/forecast.hpp"
#include "gpeps/options.hpp"
#include "lattice/cluster.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// Plans hold for every angle of a sweep, so they are made at one where no gate is special.
inline constexpr double generic_angle = 0.7390851332151607;

/// What stands around the sites that are read.
enum class Environment {
  mean_field,  ///< the weights of the bonds, around one site
  cluster,     ///< the same, around the smallest tree that holds the string
  light_cone,  ///< nothing is left out: all loops that can matter are contracted
};

/// How one value is read off a state.
struct Reading {
  Environment environment = Environment::mean_field;
  std::optional<circuit::Circuit> extension = {};  ///< read in a run of its own, after these gates
  circuit::PauliString string = {};                ///< what is read there
  lattice::Cluster cluster = {};  ///< around it, unless it is one site in mean field

  /// "mean-field", "cluster" or "light-cone", with "clifford+" before it after inverse Clifford
  /// gates.
  std::string name() const;
};

/// An observable of the deck. Without a Pauli string it is the magnetization.
struct Observable {
  std::string text;  ///< as in the deck
  std::optional<circuit::PauliString> string;
  std::vector<Reading> readings;  ///< per measured step

  /// Name of its dataset: the text with `_` for spaces.
  std::string dataset() const;
};

struct MeasurementPlan {
  std::vector<int> measured_steps;  ///< 1-based, ascending
  std::vector<Observable> observables;
  /// Whether the circuit holds these angles of the deck; gate lists need not.
  bool uses_theta_h = true;
  bool uses_theta_j = true;
};

/// Reads the observables and chooses how each is measured at each measured step.
/// InputError (all problems together, with their place in the deck): a string that names no site of
/// the lattice, is given twice, or cannot be measured, with the reason; a gate whose sites are no
/// neighbours; an angle of the deck that the gate list does not name.
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

/// The runs of one point: the circuit itself for all that is read off directly, and one more for
/// every value with a run of its own. Gates outside the causal cone of what is read are already
/// left out, if the deck wants that.
std::vector<Run> plan_runs(const MeasurementPlan& plan, const SimulateOptions& options,
                           const lattice::Graph& graph, double theta_h);

/// Forecast of one run, with what its readings cost.
Forecast forecast_run(const MeasurementPlan& plan, const lattice::Graph& graph, const Run& run,
                      std::int64_t max_bond_dimension);

}  // namespace rankine::gpeps
