// Small integers in few bits.
#pragma once

#include <torch/types.h>

namespace rankine::weights {

/// Rows of integers in [0, 2^bits) as rows of ceil(columns * bits / 8) bytes (uint8), the lowest
/// bits first. With 0 bits the rows are empty.
torch::Tensor pack_bits(const torch::Tensor& integers, int bits);

/// The way back, to int64: rows x columns.
torch::Tensor unpack_bits(const torch::Tensor& bytes, int bits, std::int64_t columns);

}  // namespace rankine::weights
