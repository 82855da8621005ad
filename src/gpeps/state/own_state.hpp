// What one rank holds of a state, and the product states that an evolution may start from.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "gpeps/state/site_tensor.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

template <linalg::Scalar T>
struct OwnState {
  std::vector<SiteTensor<T>> tensors;                 ///< of each site that this rank owns
  std::vector<std::vector<linalg::Real<T>>> weights;  ///< of each edge at such a site
  int physical_dimension = 2;                         ///< of every site
  double discarded_weight = 0;      ///< sum over the bonds that this rank has truncated
  double log_fidelity = 0;          ///< likewise, of log(1 - discarded weight)
  std::int64_t bond_dimension = 1;  ///< the largest a bond of this rank has had
};

/// A vector for each site, whose length is the physical dimension of all sites: 2 for a product
/// state of qubits, 4 for a product of operators on them (in any basis that the gates are given
/// in).
using ProductState = std::vector<std::vector<std::complex<double>>>;

/// |0> on each site.
ProductState all_zero(int n_sites, int physical_dimension = 2);

/// The part of `rank`, all bond dimensions 1. InputError: not one vector for each site, of
/// different lengths, zero or not finite, or complex where T is real.
template <linalg::Scalar T>
OwnState<T> own_product_state(const lattice::Graph& graph, const std::vector<int>& owner, int rank,
                              const ProductState& sites);

}  // namespace rankine::gpeps
