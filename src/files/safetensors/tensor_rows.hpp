// A tensor as rows of its first axis, the unit in which ranks read and write it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rankine::files {

/// Bytes converted between stored and computed numbers at a time, so that a rank needs little more
/// memory than the rows themselves.
inline constexpr std::size_t longest_conversion = std::size_t{1} << 23;

/// Every element of a tensor with no or one axis is a row.
struct TensorRows {
  std::int64_t count = 1;
  std::int64_t length = 1;  ///< values in a row

  explicit TensorRows(std::span<const std::int64_t> shape) {
    if (shape.empty()) return;
    count = shape.front();
    for (const std::int64_t axis : shape.subspan(1)) length *= axis;
  }
};

}  // namespace rankine::files
