// Codebooks of a whole matrix that was dealt to this rank, in its norm.
#pragma once

#include "compress/stages/dealt_weights.hpp"
#include "weights/making/codebooks.hpp"

namespace rankine::compress {

struct MadeCodebooks {
  weights::Codebooks books;
  weights::CodebookError error = {};  ///< in the norm they were made in
};

/// Where errors count nothing only K-means says what values are, and the error is 0. Not
/// collective.
MadeCodebooks make_codebooks(const DealtWeight& weight, weights::CodebookOptions options);

}  // namespace rankine::compress
