// Entries of a block of rows that take the nearest shared value one column after the other, each in
// sight of what the others have left.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace rankine::weights {

/// How far a step in one column moves the best place of the others, n x n in float32 without
/// diagonal: row j has what steps of all columns do to column j.
struct ColumnCoupling {
  torch::Tensor factors;
  /// Whether a step is that from the place which the columns before it have made best, as in
  /// column- wise compensation; else it is that from the entry of the matrix, as in coordinate
  /// descent.
  bool compensates = false;

  /// Coordinate descent on e^T H e, n x n in float64, positive definite: H_jk / H_jj.
  static ColumnCoupling descent(const torch::Tensor& moment);
  /// One pass that hands errors on to later columns (arXiv:2210.17323): with U^T U = H^(-1), U
  /// upper triangular, -U_kj / U_kk for k < j.
  static ColumnCoupling compensation(const torch::Tensor& moment);
};

/// Rows of a matrix side by side: entry (row r, column j) at j * rows + r. Rows are filled up with
/// zeros to a multiple of `row_lanes`.
struct RowTile {
  std::int64_t first = 0;  ///< row of the matrix
  std::int64_t count = 0;  ///< rows of the matrix in the tile
  std::int64_t rows = 0;
  std::vector<float> w = {};  ///< the matrix
  std::vector<float> approximation = {};
  std::vector<std::int32_t> codes = {};  ///< below 0 for an entry that takes any value
  std::vector<float> values = {};        ///< value k of the codebook of row r at k * rows + r

  RowTile(std::int64_t first_row, std::int64_t n_rows, std::int64_t columns, std::int64_t clusters);
  std::int64_t columns() const { return static_cast<std::int64_t>(w.size()) / rows; }
  std::int64_t clusters() const { return static_cast<std::int64_t>(values.size()) / rows; }
};

inline constexpr std::int64_t row_lanes = 16;

/// Each entry takes the value that is nearest to it.
void take_nearest_values(RowTile& tile);

/// Each entry of the tile takes the value that is best while all others stay: codes and
/// approximations, column after column. Columns before a block of some are taken into account by
/// one matrix product.
void sweep_columns(RowTile& tile, const ColumnCoupling& coupling);

/// Approximation minus matrix.
std::vector<float> errors_of(const RowTile& tile);

/// The errors of the tile times `moment`, n x n in float32: as the tile.
std::vector<float> weighted_errors(const RowTile& tile, const torch::Tensor& moment);

}  // namespace rankine::weights
