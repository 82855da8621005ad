// The exact reference of the simulations: a dense state vector of a few sites.
#pragma once

#include <complex>
#include <memory>
#include <vector>

#include "circuit/circuit.hpp"
#include "circuit/pauli.hpp"

namespace rankine::testing {

/// Sites of dimension d; site 0 is the fastest index. Starts in |0...0>.
class StateVector {
 public:
  StateVector(int n_sites, int dimension) : d_(dimension), stride_(n_sites + 1, 1) {
    for (int site = 0; site < n_sites; ++site) stride_[site + 1] = stride_[site] * d_;
    amplitudes_.assign(stride_.back(), 0);
    amplitudes_[0] = 1;
  }

  void apply(const circuit::Gate& gate) {
    const int n = gate.op->size();
    const std::size_t a = stride_[gate.sites[0]],
                      b = gate.n_sites() == 2 ? stride_[gate.sites[1]] : 0;
    std::vector<std::size_t> offset(n);
    for (int k = 0; k < n; ++k)
      offset[k] = gate.n_sites() == 2 ? (k / d_) * a + (k % d_) * b : k * a;
    std::vector<std::complex<double>> in(n);
    for (std::size_t base = 0; base < amplitudes_.size(); ++base) {
      if ((base / a) % d_ != 0 || (b > 0 && (base / b) % d_ != 0)) continue;
      for (int k = 0; k < n; ++k) in[k] = amplitudes_[base + offset[k]];
      for (int row = 0; row < n; ++row) {
        std::complex<double> sum = 0;
        for (int k = 0; k < n; ++k) sum += (*gate.op)(row, k) * in[k];
        amplitudes_[base + offset[row]] = sum;
      }
    }
  }
  void apply(const circuit::Circuit& circuit) {
    for (const auto& step : circuit.steps)
      for (const auto& gate : step) apply(gate);
  }

  /// Re <psi| op |psi> / <psi|psi> for an operator on one site.
  double expectation(int site, const circuit::Operator& op) const {
    StateVector acted = *this;
    acted.apply({std::make_shared<circuit::Operator>(op), {site, -1}});
    return overlap(acted) / overlap(*this);
  }
  double expectation(const circuit::PauliString& string) const {
    StateVector acted = *this;
    for (const auto& [site, letter] : string.letters)
      acted.apply(
          {std::make_shared<circuit::Operator>(circuit::pauli_operator(letter)), {site, -1}});
    return string.sign * overlap(acted) / overlap(*this);
  }

 private:
  double overlap(const StateVector& other) const {
    std::complex<double> sum = 0;
    for (std::size_t k = 0; k < amplitudes_.size(); ++k)
      sum += std::conj(amplitudes_[k]) * other.amplitudes_[k];
    return sum.real();
  }

  int d_;
  std::vector<std::size_t> stride_;
  std::vector<std::complex<double>> amplitudes_;
};

}  // namespace rankine::testing
