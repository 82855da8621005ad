// Expectation values on single sites of an evolved state.
#pragma once

#include <vector>

#include "gpeps/state/evolution.hpp"

namespace rankine::gpeps {

/// Collective. <op> on every site of the lattice (row of n_sites values, on every rank), in the
/// mean-field environment of the bond weights; on trees this is exact. NumericalError on all ranks
/// when a tensor is zero or not finite.
template <linalg::Scalar T>
std::vector<double> site_expectations(const Evolution<T>& state, const circuit::Operator& op);

/// Collective. <op> on one site, on every rank. Errors as site_expectations.
template <linalg::Scalar T>
double site_expectation(const Evolution<T>& state, int site, const circuit::Operator& op);

}  // namespace rankine::gpeps
