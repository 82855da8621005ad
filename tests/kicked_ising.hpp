// The kicked Ising model at given angles, as the circuit of many tests.
#pragma once

#include <numbers>
#include <span>
#include <utility>

#include "circuit/parametric_circuit.hpp"

namespace rankine::testing {

struct KickedIsing {
  int steps = 5;
  double theta_h = 0;
  double theta_j = -std::numbers::pi / 2;
  bool final_rx_layer = false;
};

/// `edges` in the order their gates are applied.
inline circuit::Circuit kicked_ising(const KickedIsing& model, int n_sites,
                                     std::span<const std::pair<int, int>> edges) {
  return circuit::kicked_ising(model.steps, model.final_rx_layer, n_sites, edges)
      .bind({{"theta_h", model.theta_h}, {"theta_j", model.theta_j}});
}

}  // namespace rankine::testing
