// Forms that are made of a weight itself, not of its factors: matrix-product operators and
// clusters.
#pragma once

#include "compress/factors.hpp"
#include "compress/workbench.hpp"

namespace rankine::compress {

/// Puts the form of the deck into the model in place of each selected weight, measured in `norm`.
/// Weighting of operators: none, diagonal or full, by alternating least squares in the norm of the
/// inputs. Of clusters: none, diagonal or two-sided, where the squared error of entry (i, j) counts
/// G_jj times, or C_ii G_jj times. Collective over the world.
void compress_directly(Workbench& bench, const ErrorNorm& norm);

}  // namespace rankine::compress
