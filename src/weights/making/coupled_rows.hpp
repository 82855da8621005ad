// Codebooks of a matrix whose rows count together: with the second moments H of the inputs and C of
// the output gradients an error E costs tr(C E H E^T), which is what the loss of a model makes of
// it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "weights/making/column_sweep.hpp"

namespace rankine::weights {

/// All rows of a matrix (m x n) lie in one tile. An error has a *pull* on every entry,
/// (C E H)_ij / C_ii, which is to a row what e_i H is to one that counts by itself.
class CoupledRows {
 public:
  /// inputs: H, n x n. outputs: C, m x m. Both float64 and positive definite. `rows`: of the tile.
  CoupledRows(const torch::Tensor& inputs, const torch::Tensor& outputs, std::int64_t rows);

  /// The pull of `errors`, both as the tile lies.
  std::vector<float> pull(const std::vector<float>& errors) const;
  /// sum_ij C_ii pull_ij of_ij: tr(C E H E^T) for the pull of E and E itself.
  double product(const std::vector<float>& pull, const std::vector<float>& of) const;
  /// Each entry takes the value that is best while all others stay, column after column and down
  /// each of them. Lowers the error, never raises it.
  void sweep(RowTile& tile) const;

  /// H in float32, row by row.
  std::span<const float> inputs() const;
  double row_weight(std::int64_t row) const { return row_weights_[static_cast<std::size_t>(row)]; }

 private:
  /// What a sweep has of a tile.
  struct ColumnDescent {
    RowTile& tile;
    std::vector<float> values;  ///< the codebook of every row side by side
    std::vector<float> errors;
  };

  /// Down column `j`, whose pull follows.
  void choose(ColumnDescent& at_work, std::int64_t j, float* pull) const;
  /// Columns `first` and more, `count` of them, of the pull of `errors`.
  void find_pull(const std::vector<float>& errors, std::int64_t first, std::int64_t count,
                 float* pull) const;

  std::int64_t rows_, columns_;
  torch::Tensor inputs_;   ///< float32
  torch::Tensor outputs_;  ///< row i: what an error in row i does to the rows k, C_ik / C_kk
  std::vector<double> row_weights_;  ///< C_ii, zero for rows that fill the tile
};

/// Squared errors in the norm.
struct ErrorChange {
  double before, after;
};

/// The best values of the codebooks, each of `book_rows` rows in turn, for the codes of the tile,
/// by few steps of conjugate gradients. `values` are those of the tile, book after book; the tile
/// keeps its own.
ErrorChange fit_coupled_values(const CoupledRows& rows, const RowTile& tile, std::int64_t book_rows,
                               std::span<double> values);

}  // namespace rankine::weights
