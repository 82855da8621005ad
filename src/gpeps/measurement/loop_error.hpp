// How far a value may be off because loops were left to the mean-field environment: estimated from
// what the nearest loops change.
#pragma once

#include <vector>

#include "circuit/pauli.hpp"
#include "gpeps/state/evolution.hpp"
#include "lattice/cluster.hpp"

namespace rankine::gpeps {

/// A string, the cluster it was read on, and the value that was found.
struct ClusterValue {
  lattice::Cluster cluster;
  circuit::PauliString string;
  double value = 0;
};

/// Collective. For each value the sum of what it changes by, up to sign, when its cluster is grown
/// by one loop, for each of the loops through the cluster or nearest to it; the larger clusters are
/// contracted exactly. NaN for all when that would take more than `flops_max` or too much memory.
/// Errors as cluster_expectation.
template <linalg::Scalar T>
std::vector<double> loop_errors(const Evolution<T>& state, const std::vector<ClusterValue>& values,
                                double flops_max);

}  // namespace rankine::gpeps
