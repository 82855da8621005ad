// Where blocks act on an axis.
#pragma once

#include <cstdint>

namespace rankine::weights {

/// The axis of `width` indices is cut into groups of `size` indices that lie `stride` apart: group
/// (o, s) holds the indices (o size + j) stride + s, j < size. With width = 2^n and size = 2^k a
/// group is what k neighbouring qubits make of the others' values.
struct BlockLayout {
  std::int64_t width = 0;
  std::int64_t size = 0;  ///< size * stride divides the width
  std::int64_t stride = 1;

  std::int64_t groups() const { return width / size; }
  bool operator==(const BlockLayout&) const = default;
};

}  // namespace rankine::weights
