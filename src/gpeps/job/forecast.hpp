// What a run will cost, from the gates alone: bond dimensions, memory and floating-point operations
// before anything is computed.
#pragma once

#include <cstdint>
#include <vector>

#include "circuit/circuit.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// Upper bounds: bonds grow as fast as the gates allow, up to the largest bond dimension and what
/// the other legs of a site can carry. Floating-point, since they exceed any integer on sites of
/// many legs, and saturating.
struct Forecast {
  std::vector<double> site_flops;             ///< per site, over the whole run
  std::vector<double> step_flops;             ///< per step, over all sites
  std::vector<double> site_elements;          ///< largest number of elements of each site tensor
  std::vector<std::int64_t> edge_dimensions;  ///< bond dimension of each edge at the end
  std::int64_t bond_dimension = 1;            ///< the largest
  double vector_elements = 0;                 ///< of the largest state vector, on any rank
};
Forecast forecast(const lattice::Graph& graph, const circuit::Circuit& circuit,
                  std::int64_t max_bond_dimension);

/// Flops over all steps.
double total_flops(const Forecast& forecast);

/// Adds `other` to what is already forecast: flops add up, memory is the larger (runs follow one
/// another).
void merge(Forecast& total, const Forecast& other);

/// Bytes a rank needs beside its program: the site tensors it owns, one more for the update under
/// way, and the small matrices; or a state vector, which comes after them, if that is larger.
std::vector<double> bytes_per_rank(const Forecast& forecast, const std::vector<int>& owner,
                                   int n_ranks, std::int64_t element_bytes);

}  // namespace rankine::gpeps
