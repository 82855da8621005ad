// Pauli strings: products of X, Y and Z on different sites, and how Clifford gates carry them
// through a circuit.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "circuit/gate.hpp"

namespace rankine::circuit {

/// sign * product of one Pauli letter ('X', 'Y', 'Z') per site.
struct PauliString {
  std::map<int, char> letters;
  int sign = 1;

  std::vector<int> support() const;
  /// "X13 Z8" in the order of sites, without the sign.
  std::string text() const;
};

/// Reads "X13 X29 Y9": letters followed by site numbers, separated by spaces. InputError: anything
/// else, a site named twice, or a site that is not in 0 ... n_sites - 1.
PauliString parse_pauli_string(const std::string& text, int n_sites);

/// The 2 x 2 operator of a letter ('X', 'Y' or 'Z'); it lives as long as the program.
const Operator& pauli_operator(char letter);

/// U^H P U for a qubit gate U, when that is a Pauli string again; nothing when the gate is no
/// Clifford gate for P.
std::optional<PauliString> pull_back(const PauliString& string, const Gate& gate);

}  // namespace rankine::circuit
