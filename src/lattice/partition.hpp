// Which rank owns which site.
#pragma once

#include <vector>

#include "lattice/graph.hpp"

namespace rankine::lattice {

/// Splits the sites over `n_parts` parts of nearly equal weight with few cut edges (METIS,
/// deterministic). `site_cost` holds a non-negative cost per site in any unit. Returns the part of
/// each site; every part gets a site unless there are more parts than sites. LibraryError when
/// METIS fails.
std::vector<int> partition(const Graph& graph, int n_parts, const std::vector<double>& site_cost);

}  // namespace rankine::lattice
