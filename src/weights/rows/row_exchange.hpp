// Moves rows of a matrix between ranks, and between row blocks and matrices over a process grid,
// straight to where they are wanted: no rank needs memory for more than it has and gets.
//
// Collective over the ranks named; ResourceError on all of them when memory for the messages lacks
// on one.
#pragma once

#include <torch/types.h>

#include <vector>

#include "linalg/distributed/dist_matrix.hpp"
#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// Rows [first, first + count).
struct RowRange {
  std::int64_t first = 0;
  std::int64_t count = 0;

  std::int64_t end() const { return first + count; }
};

/// The rows of `rank`.
inline RowRange range_of(const RowSplit& split, int rank) {
  return {split.first(rank), split.count(rank)};
}

/// Rows `wanted` (each rank's own wish, nothing too) of a matrix of which each rank holds the rows
/// `held`: own is held.count x columns, of one type (float32 or float64) and width on all ranks.
/// Rows that several ranks hold are added up; rows that none holds are zeros.
torch::Tensor exchange_rows(const parallel::Communicator& ranks, const torch::Tensor& own,
                            RowRange held, RowRange wanted);

/// The same sum as a matrix over a grid: `target` (T is float or double) is overwritten.
template <class T>
void spread_rows(const torch::Tensor& own, RowRange held, linalg::DistMatrix<T>& target);

/// Rows `wanted` of the leading part of a distributed matrix, wanted.count x source.columns, of
/// type T. Where `places` is given, row i of the source counts as row places[i].
template <class T>
torch::Tensor collect_rows(linalg::DistView<const T> source, RowRange wanted,
                           const std::vector<std::int64_t>& places = {});

}  // namespace rankine::weights
