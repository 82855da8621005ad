// Ranks arranged as rows x columns, with the BLACS context ScaLAPACK needs.
#pragma once

#include "parallel/communicator.hpp"

namespace rankine::linalg {

/// The first rows * columns ranks of a communicator, row by row; the others are outside, own
/// nothing and still take part in what is collective. Neither movable nor copyable: matrices keep
/// a reference to it.
class ProcessGrid {
 public:
  /// Collective over `ranks`. LibraryError when the BLACS cannot make it.
  ProcessGrid(const parallel::Communicator& ranks, int rows, int columns);
  ProcessGrid(const ProcessGrid&) = delete;
  ProcessGrid& operator=(const ProcessGrid&) = delete;
  ~ProcessGrid();

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  /// -1 outside.
  int row() const { return row_; }
  int column() const { return column_; }
  bool is_inside() const { return row_ >= 0; }
  int rank_of(int row, int column) const { return row * columns_ + column; }
  /// All ranks, also those outside.
  const parallel::Communicator& ranks() const { return ranks_; }
  /// The BLACS context; -1 outside.
  int context() const { return context_; }

 private:
  parallel::Communicator ranks_;
  int rows_;
  int columns_;
  int system_ = -1;
  int context_ = -1;
  int row_ = -1;
  int column_ = -1;
};

struct GridShape {
  int rows = 1;
  int columns = 1;
};
/// The most square grid of exactly `ranks` ranks, not taller than wide; primes give one row.
GridShape squarest(int ranks);

}  // namespace rankine::linalg
