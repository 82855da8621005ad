// Cuts long messages into pieces whose lengths fit MPI's 32-bit counts.
#pragma once

#include <algorithm>
#include <cstddef>

namespace rankine::parallel {

/// Bytes (or elements, in reductions) one MPI call moves at most.
inline constexpr std::size_t longest_piece = std::size_t{1} << 30;

/// Calls `move(first, count)` for consecutive pieces of [0, total); once with count 0 when total is
/// 0.
template <class Move>
void for_each_piece(std::size_t total, std::size_t longest, Move&& move) {
  std::size_t first = 0;
  do {
    const std::size_t count = std::min(longest, total - first);
    move(first, static_cast<int>(count));
    first += count;
  } while (first < total);
}

}  // namespace rankine::parallel
