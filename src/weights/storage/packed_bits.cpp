#include "weights/storage/packed_bits.hpp"

#include <cstdint>

#include "core/contracts.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor pack_bits(const Tensor& integers, int bits) {
  RANKINE_EXPECTS(integers.dim() == 2 && bits >= 0 && bits <= 32, "rows of short integers");
  const std::int64_t rows = integers.size(0), columns = integers.size(1);
  const Tensor packed = torch::zeros({rows, (columns * bits + 7) / 8}, torch::kUInt8);
  std::uint8_t* to = packed.data_ptr<std::uint8_t>();
  for (std::int64_t row = 0; row < rows; ++row, to += packed.size(1)) {
    const Tensor wide = integers.select(0, row).to(torch::kInt64).contiguous();
    const std::int64_t* from = wide.data_ptr<std::int64_t>();
    std::uint64_t pending = 0;
    int held = 0;
    std::int64_t byte = 0;
    for (std::int64_t column = 0; column < columns; ++column) {
      pending |= static_cast<std::uint64_t>(*from++) << held;
      for (held += bits; held >= 8; held -= 8, pending >>= 8)
        to[byte++] = static_cast<std::uint8_t>(pending);
    }
    if (held > 0) to[byte] = static_cast<std::uint8_t>(pending);
  }
  return packed;
}

Tensor unpack_bits(const Tensor& bytes, int bits, std::int64_t columns) {
  RANKINE_EXPECTS(bytes.dim() == 2 && bytes.size(1) == (columns * bits + 7) / 8, "rows of bytes");
  const Tensor packed = bytes.contiguous();
  const std::int64_t rows = packed.size(0);
  const Tensor integers = torch::zeros({rows, columns}, torch::kInt64);
  const std::uint8_t* from = packed.data_ptr<std::uint8_t>();
  std::int64_t* to = integers.data_ptr<std::int64_t>();
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for (std::int64_t row = 0; row < rows; ++row, from += packed.size(1)) {
    std::uint64_t pending = 0;
    int held = 0;
    std::int64_t byte = 0;
    for (std::int64_t column = 0; column < columns; ++column) {
      for (; held < bits; held += 8) pending |= std::uint64_t{from[byte++]} << held;
      *to++ = static_cast<std::int64_t>(pending & mask);
      pending >>= bits;
      held -= bits;
    }
  }
  return integers;
}

}  // namespace rankine::weights
