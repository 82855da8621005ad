// Moments and matrices over a process grid, in square blocks.
#pragma once

#include <cstdint>

#include "compress/calibration/moments.hpp"
#include "linalg/distributed/dist_matrix.hpp"

namespace rankine::compress {

template <class T>
linalg::DistMatrix<T> matrix_on(const linalg::ProcessGrid& grid, std::int64_t rows,
                                std::int64_t columns, std::int64_t block) {
  return {grid,
          linalg::Distribution::block_cyclic(rows, columns, block, grid.rows(), grid.columns())};
}

/// The whole symmetric matrix of a moment. Collective over the ranks of the grid.
linalg::DistMatrix<double> spread(const SecondMoment& moment, const linalg::ProcessGrid& grid,
                                  std::int64_t block);

void add_to_diagonal(linalg::DistMatrix<double>& matrix, double added);

}  // namespace rankine::compress
