// Codebooks of a matrix, or of some of its rows, that was dealt to this rank, in its norm.
#pragma once

#include <cstddef>
#include <vector>

#include "compress/stages/dealt_weights.hpp"
#include "weights/making/codebooks.hpp"

namespace rankine::compress {

/// Of the weights at these places of a group, the pieces whose codebooks are made at once.
std::vector<RowsOfWeight> pieces_of(const Workbench& bench, const NormedWeights& group,
                                    const std::vector<std::size_t>& places);

/// What errors of the rows count; without moments where errors count nothing.
weights::RowNorm row_norm(const DealtWeight& weight);

/// Where errors count nothing only K-means says what values are. Not collective.
weights::Codebooks make_codebooks(const DealtWeight& weight, const weights::RowNorm& norm,
                                  weights::CodebookOptions options);

}  // namespace rankine::compress
