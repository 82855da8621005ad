// How many shared values a weight may have, and what it takes to store them: what a budget of bits
// (ranks.bits_per_weight) is shared out by.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/job/compression_job.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {

/// The pieces whose codebooks are made at once, in the order of their rows (rows_at_once).
std::vector<weights::RowRange> codebook_pieces(const NamedShape& weight,
                                               const MethodOptions& method);

/// Codebooks of some rows of a matrix as the deck has them, with so many values; entries that keep
/// values of their own are in proportion to the rows.
weights::CodebookOptions codebook_options(const MethodOptions& method, const MatrixShape& shape,
                                          const weights::RowRange& rows, std::int64_t clusters);

/// Of the codes of a weight that gets as many values as the deck allows; the fewest are 1.
int most_code_bits(const MethodOptions& method);

/// Bytes of a weight at most, with 2^`code_bits` values, as it is stored in the end.
std::int64_t most_bytes(const CompressOptions& options, const NamedShape& weight, int code_bits);

/// Bytes that the selected weights may take together.
std::int64_t byte_budget(const CompressionJob& job);

/// Throws InputError for a budget that is less than all weights need or more than they can use.
void require_reachable_bits(const CompressionJob& job);

}  // namespace rankine::compress
