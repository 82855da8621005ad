// Chooses how a Pauli string is read: exactly where that is affordable, by the cheapest way, and
// otherwise so that it is known what is left out.
#pragma once

#include <vector>

#include "gpeps/routes/ways.hpp"

namespace rankine::gpeps {

class StringChooser {
 public:
  /// `measured` must outlive the object.
  explicit StringChooser(const MeasuredCircuit& measured) : measured_(measured) {}

  /// How the string is read after each of `steps` (1-based, ascending): as a product of factors.
  std::vector<std::vector<Factor>> choose(const circuit::PauliString& string,
                                          const std::vector<int>& steps) const;

 private:
  /// What is remembered of one string from step to step.
  struct Memory {
    std::vector<WayInDepth> ways;
    int ways_of = 0;           ///< steps of the circuit their routes belong to
    bool is_hopeless = false;  ///< beyond the window: no way is affordable, then and later
    double least_flops = 0;
    lattice::Cluster cluster;  ///< the smallest that holds the string, when it is known
  };

  const SimulateOptions& options() const { return measured_.options; }
  const lattice::Graph& graph() const { return measured_.graph; }
  void find_routes(const circuit::PauliString& string, int n_steps, Memory& memory) const;
  BestWays best_ways(int n_steps, Memory& memory) const;
  Factor choose_factor(const circuit::PauliString& string, const LightCone& cone, int n_steps,
                       Memory& memory) const;
  Factor leaving_loops(const circuit::PauliString& string, const LightCone& cone, int n_steps,
                       const Loops& loops, Memory& memory) const;
  Factor in_the_direct_run(const circuit::PauliString& string, const LightCone& cone,
                           const Loops& loops, int n_steps, Memory& memory) const;
  Factor choose_on_cell(const circuit::PauliString& string, const lattice::Cluster& cluster,
                        LightCone cone, int n_steps) const;

  const MeasuredCircuit& measured_;
};

}  // namespace rankine::gpeps
