// Embedding and output weight among the selected weights: what they may become, and in what pieces.
#pragma once

#include <cstdint>

#include "compress/job/compression_job.hpp"

namespace rankine::compress {

/// Throws InputError where one of them is selected and the deck asks for what only the layers have.
void check_vocabulary(const CompressionJob& job);

/// Rows of a weight whose codebooks are made at once: all, but of a weight with a row for every
/// token only a few thousand, in whole codebooks.
std::int64_t rows_at_once(const NamedShape& weight, const MethodOptions& method);

}  // namespace rankine::compress
