// Circuits: lists of gates in steps, and the transformations that leave what is measured unchanged.
#pragma once

#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "circuit/gate.hpp"
#include "circuit/pauli.hpp"

namespace rankine::circuit {

using Step = std::vector<Gate>;

/// Gates in the order they act, grouped in the steps between which one may measure.
struct Circuit {
  std::vector<Step> steps;
  int n_steps() const { return static_cast<int>(steps.size()); }
};

/// The kicked Ising model of Kim et al., Nature 618, 500 (2023): each step applies RX(theta_h) to
/// every site, then RZZ(theta_j) to every edge.
struct KickedIsing {
  int steps = 5;
  double theta_h = 0;                    ///< radians
  double theta_j = -1.5707963267948966;  ///< radians
  bool final_rx_layer = false;           ///< one more RX layer in the last step
};
/// `edges` in the order their gates are applied.
Circuit kicked_ising(const KickedIsing& model, int n_sites,
                     std::span<const std::pair<int, int>> edges);

/// Reads one gate per line, "name site [site] [angle]", from a file; `step` ends a step; # starts a
/// comment. Names: rx ry rz rxx ryy rzz with an angle (a number, or theta_h, -theta_h, theta_j,
/// -theta_j), and those of fixed_gate(). InputError names file and line: unknown gate, missing
/// angle, a site that does not exist, the same site twice, no gate at all.
Circuit read_gate_list(const std::filesystem::path& file, int n_sites, double theta_h,
                       double theta_j);

/// What is asked of a site when a measurement looks back through the circuit.
enum class Demand : unsigned char { none, diagonal, full };

/// Removes every gate that cannot change what is measured: walks back from the end and drops a gate
/// when it commutes with all that is still asked for. `measured[s]` holds what is measured after
/// step s (empty for nothing). Exact for any circuit of diagonal and other gates.
Circuit causal_cone(const Circuit& circuit, int n_sites,
                    const std::vector<std::vector<Demand>>& measured);

/// Two-site gates that join nothing (RZZ(0), RXX(pi)) as the one-site gates they are products of,
/// without identities. Steps keep their number.
Circuit separated(const Circuit& circuit);

/// Multiplies gates that meet without anything between them that does not commute, separates what
/// then joins nothing, and drops identities. Steps keep their number.
Circuit fused(const Circuit& circuit, int n_sites);

/// The gates of one step in layers: in each, no two gates share a site, so that they can run at the
/// same time in any order.
std::vector<Step> layers(const Step& step, int n_sites);

/// A way to measure a Pauli string W: after the inverse Clifford gates of `extension`, <W> is the
/// expectation value of `readout` (with its sign).
struct CliffordRoute {
  Circuit extension;
  PauliString readout;
};

/// All ways along a Clifford circuit, the circuit at Clifford angles with the same steps as the one
/// that is measured: W itself first, then W pulled back through one layer of gates after the other,
/// until it is a single letter. Ends early where a gate is no Clifford gate. After `most` of them
/// only a single letter is still listed. Linear in the number of gates.
std::vector<CliffordRoute> clifford_routes(const Circuit& clifford, const PauliString& string,
                                           std::size_t most = 1000);

}  // namespace rankine::circuit
