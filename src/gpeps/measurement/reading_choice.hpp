// Chooses how Pauli strings are read: exactly where that is affordable, by the cheapest way, and
// otherwise so that it is known what is left out.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "gpeps/job/options.hpp"
#include "gpeps/measurement/light_cone.hpp"
#include "gpeps/measurement/reading.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// The circuit's first `n_steps` steps.
circuit::Circuit truncated(const circuit::Circuit& circuit, int n_steps);

/// What a measurement of a string asks of the sites.
void add_demand(std::vector<circuit::Demand>& demand, const circuit::PauliString& string);

/// The circuit of a run of its own: extended, simplified, and cut down to the light cone of what is
/// read at its end (the latter only when `state.causal_cone` asks for it).
circuit::Circuit own_circuit(circuit::Circuit circuit, const circuit::Circuit& extension,
                             const circuit::PauliString& string, const SimulateOptions& options,
                             int n_sites);

class ReadingChooser {
 public:
  /// `options` and `graph` must outlive the object.
  ReadingChooser(const SimulateOptions& options, const lattice::Graph& graph,
                 const circuit::ParametricCircuit& circuit);

  const circuit::Circuit& circuit() const { return circuit_; }

  /// How the string is read after each of `steps` (1-based, ascending).
  std::vector<Reading> choose(const circuit::PauliString& string,
                              const std::vector<int>& steps) const;

  /// How Z of every site is read after each of `steps`: `factors[column]` holds the sites that are
  /// read otherwise than in mean field, `ignored[column][site]` what a mean-field reading leaves
  /// out.
  struct Sites {
    std::vector<std::map<int, Factor>> factors;
    std::vector<std::vector<LoopsIgnored>> ignored;
  };
  /// Sites of `known[column]` are already read by somebody else and are left out of the choice.
  Sites choose_sites(const std::vector<int>& steps,
                     const std::vector<std::map<int, int>>& known) const;

 private:
  /// What one way to read a string costs; infinitely much where it is not affordable.
  struct Way {
    static constexpr double never = std::numeric_limits<double>::infinity();

    Factor contraction = {};           ///< by contracting all loops
    double contraction_flops = never;  ///< with its evolution
    bool is_truncated = false;  ///< the smallest bond dimension of the deck does not hold its state
    Factor vector = {};         ///< by a state vector
    double vector_flops = never;
    double least_flops = never;  ///< of both, affordable or not
    Loops loops = {};            ///< of its light cone

    bool is_affordable() const { return contraction_flops < never || vector_flops < never; }
  };
  /// The cheapest of each kind over several ways.
  struct BestWays {
    Way whole, truncated, vector;

    bool is_empty() const;
    double least_flops() const;
    void add(const Way& way);
  };
  /// What is remembered of one string from step to step.
  struct Memory {
    std::vector<circuit::CliffordRoute> routes;
    int routes_of = 0;         ///< steps of the circuit they belong to
    bool is_hopeless = false;  ///< beyond the window: no way is affordable, then and later
    double least_flops = 0;
    lattice::Cluster cluster;  ///< the smallest that holds the string, when it is known
  };
  /// Sites that may be read exactly after one step, with their light cones.
  struct Column;
  struct SiteChoice {
    int site = 0;
    Factor factor;
    double flops = 0;
  };

  void find_routes(const circuit::PauliString& string, int n_steps, Memory& memory) const;
  Way way(const circuit::CliffordRoute& route, int n_steps) const;
  Way way_of(const circuit::CliffordRoute& route, circuit::Circuit circuit) const;
  Factor choose_factor(const circuit::PauliString& string, const LightCone& cone, int n_steps,
                       Memory& memory) const;
  BestWays best_ways(int n_steps, Memory& memory) const;
  Factor leaving_loops(const circuit::PauliString& string, const LightCone& cone, int n_steps,
                       const Loops& loops, Memory& memory) const;
  Factor in_the_direct_run(const circuit::PauliString& string, const LightCone& cone,
                           const Loops& loops, int n_steps, Memory& memory) const;
  Reading choose_on_cell(const circuit::PauliString& string, const lattice::Cluster& cluster,
                         LightCone cone, int n_steps) const;
  std::vector<SiteChoice> vector_choices(const Column& column) const;
  std::optional<std::vector<SiteChoice>> contraction_choices(Column& column,
                                                             std::vector<bool>& is_hopeless) const;
  void choose_column(Column& column, std::vector<bool>& is_hopeless) const;
  std::int64_t most_vector_sites() const { return options_.measure.state_vector_sites; }

  const SimulateOptions& options_;
  const lattice::Graph& graph_;
  circuit::Circuit circuit_;
  LightCones cones_;
  int shortest_loop_;  ///< of the lattice
  std::optional<circuit::Circuit> clifford_;
};

}  // namespace rankine::gpeps
