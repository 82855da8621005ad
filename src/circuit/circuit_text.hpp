// A circuit in the words of a gate list, for result files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "circuit/options.hpp"

namespace rankine::circuit {

/// Steps that repeat are written once. Angles of the deck keep their names.
struct CircuitText {
  std::vector<std::string> steps;   ///< the different steps, each as lines of a gate list
  std::vector<std::int64_t> order;  ///< for each step of the circuit its place in `steps`

  /// All of it as a gate list.
  std::string gate_list() const;
};

/// The circuit a deck asks for; `edges` in the order their gates are applied. Gate lists come
/// without comments. InputError if the file cannot be read.
CircuitText circuit_text(const CircuitOptions& options, int n_sites,
                         std::span<const std::pair<int, int>> edges);

}  // namespace rankine::circuit
