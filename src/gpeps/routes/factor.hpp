// How one Pauli string is read off a state, and what that leaves out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"
#include "lattice/cluster.hpp"

namespace rankine::gpeps {

/// What stands around the sites that are read.
enum class Environment {
  mean_field,    ///< the weights of the bonds, around one site
  cluster,       ///< the same, around the smallest cluster that holds the string
  light_cone,    ///< nothing is left out: all loops that can matter are contracted
  state_vector,  ///< nothing is left out: all amplitudes of the light cone
};

/// What a value leaves out: loops of its light cone that are left to the mean-field environment.
/// Truncation is another matter; the discarded weight measures it.
struct LoopsIgnored {
  int count = 0;           ///< independent loops; 0 when nothing is left out
  int shortest = 0;        ///< sites of the shortest loop of the light cone; 0 when count is 0
  double exact_flops = 0;  ///< forecast of what a reading that leaves nothing out would take

  bool is_exact() const { return count == 0; }
  /// What is left out by a value that is made of this one and another.
  void join(const LoopsIgnored& other);
};

/// How one Pauli string is read: the whole of a value, or a factor of one whose light cone meets
/// none of the others. In the name "clifford+" stands before what is read after inverse Clifford
/// gates.
struct Factor {
  Environment environment = Environment::mean_field;
  /// Read in a run of its own, after these gates; null for the run of the circuit itself.
  std::shared_ptr<const circuit::Circuit> extension = {};
  circuit::PauliString string = {};  ///< what is read there
  lattice::Cluster cluster = {};     ///< around it, for `cluster` and `light_cone`
  std::vector<int> sites = {};       ///< of the state vector
  LoopsIgnored ignored = {};

  std::string name() const;
  /// Whether the run of the circuit itself is what it is read from.
  bool is_direct() const { return !extension; }
};

/// Different names, each once, joined by "|" in the order they come.
std::string joined_names(const std::vector<std::string>& names);

}  // namespace rankine::gpeps
