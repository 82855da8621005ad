// Circuits: lists of gates in steps, and the transformations that leave what is measured unchanged.
#pragma once

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
