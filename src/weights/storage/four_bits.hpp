// Numbers in blocks of 4-bit integers.
#pragma once

#include <torch/types.h>

namespace rankine::weights {

inline constexpr std::int64_t four_bit_block = 32;

/// A matrix of which each block of `four_bit_block` numbers along a row (the last one may be
/// shorter) spans 16 equally spaced values: minimum + step * code.
struct FourBitBlocks {
  torch::Tensor codes;   ///< uint8: rows x ceil(columns / 2), two codes a byte, the first one low
  torch::Tensor minima;  ///< float16: rows x ceil(columns / four_bit_block)
  torch::Tensor steps;   ///< float16, as minima
};

/// Rounds to the nearest value of its block. values: rows x columns. A block whose numbers exceed
/// the range of float16 (65504) cannot be represented and comes back clipped.
FourBitBlocks four_bit_blocks(const torch::Tensor& values);

/// rows x columns of `type`.
torch::Tensor values_of(const FourBitBlocks& blocks, std::int64_t columns, torch::ScalarType type);

}  // namespace rankine::weights
