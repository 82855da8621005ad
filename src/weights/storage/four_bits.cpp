#include "weights/storage/four_bits.hpp"

#include "core/contracts.hpp"
#include "weights/storage/packed_bits.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr double largest_code = 15;
constexpr double largest_float16 = 65504;

std::int64_t blocks_in(std::int64_t columns) {
  return (columns + four_bit_block - 1) / four_bit_block;
}

/// One number per block, repeated for its columns.
Tensor spread(const Tensor& per_block, std::int64_t columns) {
  return per_block.to(torch::kFloat64).repeat_interleave(four_bit_block, 1).narrow(1, 0, columns);
}

Tensor as_float16(const Tensor& values) {
  return values.clamp(-largest_float16, largest_float16).to(torch::kFloat16);
}

}  // namespace

FourBitBlocks four_bit_blocks(const Tensor& values) {
  RANKINE_EXPECTS(values.dim() == 2, "blocks of a matrix");
  const Tensor wide = values.detach().to(torch::kFloat64);
  const std::int64_t rows = wide.size(0), columns = wide.size(1), blocks = blocks_in(columns);
  const Tensor least = torch::empty({rows, blocks}, torch::kFloat64);
  const Tensor most = torch::empty({rows, blocks}, torch::kFloat64);
  for (std::int64_t block = 0; block < blocks && rows > 0; ++block) {
    const std::int64_t first = block * four_bit_block;
    const Tensor part = wide.narrow(1, first, std::min(four_bit_block, columns - first));
    least.select(1, block).copy_(part.amin(1));
    most.select(1, block).copy_(part.amax(1));
  }
  FourBitBlocks result;
  result.minima = as_float16(least);
  result.steps = as_float16((most - result.minima.to(torch::kFloat64)).clamp_min(0) / largest_code);
  const Tensor steps = spread(result.steps, columns);
  const Tensor codes = ((wide - spread(result.minima, columns)) / steps.clamp_min(1e-30))
                           .round()
                           .clamp(0, largest_code);
  result.codes = pack_bits(codes, 4);
  return result;
}

Tensor values_of(const FourBitBlocks& blocks, std::int64_t columns, torch::ScalarType type) {
  const Tensor codes = unpack_bits(blocks.codes, 4, columns).to(torch::kFloat64);
  return (spread(blocks.minima, columns) + codes * spread(blocks.steps, columns)).to(type);
}

}  // namespace rankine::weights
