// The [circuit] section of a deck.
#pragma once

#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"
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

/// The circuit of one point. `edges` in the order their gates are applied. InputError as
/// read_gate_list.
Circuit make_circuit(const CircuitOptions& options, double theta_h, int n_sites,
                     std::span<const std::pair<int, int>> edges);

}  // namespace rankine::circuit
