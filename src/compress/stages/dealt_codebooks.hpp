// Codebooks of a whole matrix that was dealt to this rank, in its norm.
#pragma once

#include "compress/stages/dealt_weights.hpp"
#include "weights/making/codebooks.hpp"

namespace rankine::compress {

/// What errors of the rows count; without moments where errors count nothing.
weights::RowNorm row_norm(const DealtWeight& weight);

/// Where errors count nothing only K-means says what values are. Not collective.
weights::Codebooks make_codebooks(const DealtWeight& weight, const weights::RowNorm& norm,
                                  weights::CodebookOptions options);

}  // namespace rankine::compress
