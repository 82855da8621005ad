// Pauli strings on clusters, contracted exactly: trees, and clusters with loops.
//
// A loop is opened at its smallest bond: the contraction is done for every pair of values (ket and
// bra) of that bond, its slices, and summed where both ends meet. Outside the cluster stands the
// mean-field environment, which is exact for branches without loops; a cluster that holds all loops
// of the light cone therefore gives the exact value of the state.
#pragma once

#include <vector>

#include "circuit/pauli.hpp"
#include "gpeps/state/evolution.hpp"
#include "lattice/cluster.hpp"

namespace rankine::gpeps {

/// Collective. <string> on a cluster that holds its support, on every rank.
/// NumericalError on all ranks when a tensor is zero or not finite.
template <linalg::Scalar T>
double cluster_expectation(const Evolution<T>& state, const lattice::Cluster& cluster,
                           const circuit::PauliString& string);

/// Collective. The same for several strings on one cluster.
template <linalg::Scalar T>
std::vector<double> cluster_expectations(const Evolution<T>& state, const lattice::Cluster& cluster,
                                         const std::vector<circuit::PauliString>& strings);

}  // namespace rankine::gpeps
