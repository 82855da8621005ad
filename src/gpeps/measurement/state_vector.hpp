// The state vector of a few qubits: all 2^n amplitudes, for values whose light cone is small.
//
// Gates are applied in passes over memory. A pass takes blocks of 2^13 amplitudes, which stay in
// the cache, and applies all gates that move amplitudes within such a block only; diagonal gates
// move none and fit into any pass.
#pragma once

#include <complex>
#include <vector>

#include "circuit/circuit.hpp"
#include "circuit/pauli.hpp"
#include "linalg/matrix.hpp"

namespace rankine::gpeps {

/// A state of qubits on some sites of a lattice. Sites that come first are the slower to act on.
template <class Real>
class StateVector {
 public:
  using Amplitude = std::complex<Real>;

  /// Starts in |0...0>. At most 40 sites, each once.
  explicit StateVector(std::vector<int> sites);

  /// Applies gates on its sites, in their order.
  void apply(const circuit::Step& gates);

  /// <string>, relative to the norm. NumericalError when that is zero or not finite.
  double expectation(const circuit::PauliString& string) const;

 private:
  struct GateHere {
    const circuit::Operator* op = nullptr;
    std::vector<int> bits;  ///< of its sites, the first the slow one in the operator's index
  };
  struct Pass {
    std::vector<int> bits;  ///< the bits within a block, ascending
    std::vector<GateHere> gates;
  };

  int bit(int site) const;
  Pass next_pass(std::vector<GateHere>& pending) const;
  void run(const Pass& pass);

  std::vector<int> sites_;
  linalg::Buffer<Amplitude> amplitudes_;
};

/// Forecast of a state vector of `n_sites` sites, in the flops of a matrix product that would take
/// as long.
double state_vector_flops(int n_sites, const circuit::Circuit& circuit);

/// The same for a number of gates of unknown kind.
double state_vector_flops(int n_sites, double n_gates);

}  // namespace rankine::gpeps
