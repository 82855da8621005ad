// The circuit of a run of its own, which is evolved for one string at its end.
#pragma once

#include <vector>

#include "circuit/circuit.hpp"
#include "gpeps/job/options.hpp"

namespace rankine::gpeps {

/// The circuit's first `n_steps` steps.
circuit::Circuit truncated(const circuit::Circuit& circuit, int n_steps);

/// The last `count` of its first `n_steps` steps, or as many as there are.
circuit::Circuit last_steps(const circuit::Circuit& circuit, int n_steps, int count);

/// The gates of `extension` after those of `circuit`.
circuit::Circuit extended(circuit::Circuit circuit, const circuit::Circuit& extension);

/// What a letter and a string ask of their sites.
circuit::Demand demand_of(char letter);
void add_demand(std::vector<circuit::Demand>& demand, const circuit::PauliString& string);

/// The circuit simplified, and cut down to the light cone of what is read at its end.
circuit::Circuit cone_circuit(const circuit::Circuit& circuit, const circuit::PauliString& string,
                              int n_sites);

/// The circuit of a run of its own: extended and simplified, and cut down to the light cone when
/// `state.causal_cone` asks for it.
circuit::Circuit own_circuit(circuit::Circuit circuit, const circuit::Circuit& extension,
                             const circuit::PauliString& string, const SimulateOptions& options,
                             int n_sites);

}  // namespace rankine::gpeps
