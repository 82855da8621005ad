// How many shared values a weight may have, and what it takes to store them: what a budget of bits
// (ranks.bits_per_weight) is shared out by.
#pragma once

#include <cstdint>

#include "compress/job/compression_job.hpp"

namespace rankine::compress {

/// Codebooks as the deck has them, with so many values.
weights::CodebookOptions codebook_options(const MethodOptions& method, const MatrixShape& shape,
                                          std::int64_t clusters);

/// Of the codes of a weight that gets as many values as the deck allows; the fewest are 1.
int most_code_bits(const MethodOptions& method);

/// Bytes of a weight at most, with 2^`code_bits` values, as it is stored in the end.
std::int64_t most_bytes(const CompressOptions& options, const MatrixShape& shape, int code_bits);

/// Bytes that the selected weights may take together.
std::int64_t byte_budget(const CompressionJob& job);

/// Throws InputError for a budget that is less than all weights need or more than they can use.
void require_reachable_bits(const CompressionJob& job);

}  // namespace rankine::compress
