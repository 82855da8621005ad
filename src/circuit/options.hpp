// The [circuit] section of a deck.
#pragma once

#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "circuit/parametric_circuit.hpp"
#include "deck/schema.hpp"

namespace rankine::circuit {

struct CircuitOptions {
  std::string name = "kicked-ising";
  std::int64_t steps = 5;
  std::vector<double> theta_h{0.6};  ///< radians; one point each
  double theta_j = -std::numbers::pi / 2;
  bool final_rx_layer = false;
  std::string file;
};

/// Declares [circuit] and its cross rules.
void declare_keywords(deck::Schema& schema, CircuitOptions& options);

/// The text of the file that the deck names; empty when it names none. Read it once, on one rank.
/// InputError if it cannot be read.
std::string load_circuit(const CircuitOptions& options);

/// The circuit that the deck asks for, with the parameters theta_h and theta_j. `file_text` is what
/// load_circuit has read; `edges` stand in the order their gates are applied. InputError as
/// parse_gate_list.
ParametricCircuit make_circuit(const CircuitOptions& options, std::string_view file_text,
                               int n_sites, std::span<const std::pair<int, int>> edges);

}  // namespace rankine::circuit
