// Clustered weights with codebooks of their own for rows, or in the norm of whole moments: each
// made of a whole matrix by one rank.
#pragma once

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Puts the form of the deck (MethodOptions::has_books) into the model in place of each selected
/// weight, measured in `norm`, or fitted in order. Matrices are dealt out to the ranks, the largest
/// first. Collective over the world.
void compress_by_codebooks(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
