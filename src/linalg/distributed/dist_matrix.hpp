// A matrix spread over a process grid, and views of rectangular parts of it.
#pragma once

#include <utility>

#include "linalg/distributed/distribution.hpp"
#include "linalg/distributed/process_grid.hpp"
#include "linalg/matrix.hpp"
#include "parallel/agreement.hpp"

namespace rankine::linalg {

/// A rectangle of a distributed matrix: rows [row, row + rows), columns [column, column + columns).
template <class T>
struct DistView {
  View<T> local;  ///< all that this rank owns of the matrix, not only of the rectangle
  const ProcessGrid* grid = nullptr;
  Distribution distribution;
  std::int64_t row = 0;
  std::int64_t column = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;

  operator DistView<const T>() const {
    return {local, grid, distribution, row, column, rows, columns};
  }
  DistView part(std::int64_t first_row, std::int64_t first_column, std::int64_t n_rows,
                std::int64_t n_columns) const {
    RANKINE_EXPECTS(first_row + n_rows <= rows && first_column + n_columns <= columns,
                    "a part lies within its view");
    return {local, grid, distribution, row + first_row, column + first_column, n_rows, n_columns};
  }
  DistView leading_columns(std::int64_t n) const { return part(0, 0, rows, n); }
  DistView trailing_columns(std::int64_t from) const { return part(0, from, rows, columns - from); }

  /// Calls work(i, j, element) for what this rank owns of the rectangle; i and j count from its
  /// corner.
  template <class Work>
  void for_each_local(Work&& work) const {
    if (!grid->is_inside()) return;
    const Axis &r = distribution.rows(), &c = distribution.columns();
    const std::int64_t i_begin = r.local_count(grid->row(), row),
                       i_end = r.local_count(grid->row(), row + rows),
                       j_begin = c.local_count(grid->column(), column),
                       j_end = c.local_count(grid->column(), column + columns);
    for (std::int64_t j = j_begin; j < j_end; ++j) {
      const std::int64_t global_j = c.global(grid->column(), j) - column;
      for (std::int64_t i = i_begin; i < i_end; ++i)
        work(r.global(grid->row(), i) - row, global_j, local(i, j));
    }
  }
};

/// Move-only; contents undefined after construction. The grid must outlive it.
template <Scalar T>
class DistMatrix {
 public:
  DistMatrix() = default;
  /// Collective over the ranks of the grid: ResourceError on all when memory lacks on one.
  DistMatrix(const ProcessGrid& grid, Distribution distribution)
      : grid_(&grid), distribution_(distribution) {
    RANKINE_EXPECTS(distribution.rows().parts() == grid.rows() &&
                        distribution.columns().parts() == grid.columns(),
                    "a distribution has the shape of its grid");
    parallel::agree_on_failure(grid.ranks(), [&] {
      if (grid.is_inside())
        local_ = Matrix<T>(distribution.rows().local_size(grid.row()),
                           distribution.columns().local_size(grid.column()));
    });
  }

  const ProcessGrid& grid() const { return *grid_; }
  const Distribution& distribution() const { return distribution_; }
  std::int64_t rows() const { return distribution_.rows().size(); }
  std::int64_t columns() const { return distribution_.columns().size(); }
  /// What this rank owns; empty outside the grid.
  Matrix<T>& local() { return local_; }
  const Matrix<T>& local() const { return local_; }

  DistView<T> view() { return {local_.view(), grid_, distribution_, 0, 0, rows(), columns()}; }
  DistView<const T> view() const {
    return {local_.view(), grid_, distribution_, 0, 0, rows(), columns()};
  }

  /// element(i, j) with global indices, computed by its owner. Collective only through failures.
  template <class Element>
  void fill_from(Element&& element) {
    view().for_each_local([&](std::int64_t i, std::int64_t j, T& value) { value = element(i, j); });
  }

 private:
  const ProcessGrid* grid_ = nullptr;
  Distribution distribution_;
  Matrix<T> local_;
};

}  // namespace rankine::linalg
