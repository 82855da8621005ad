// ScaLAPACK's view of a distributed matrix: a descriptor made at the call. Included by .cpp files.
#pragma once

#include <fmt/format.h>

#include <limits>

#include "core/errors.hpp"
#include "linalg/distributed/dist_matrix.hpp"
#include "linalg/distributed/fortran_scalapack.hpp"

namespace rankine::linalg {

/// ResourceError, the same on all ranks, when `value` does not fit ScaLAPACK's integers.
inline int scalapack_int(std::int64_t value, const char* what, const ProcessGrid& grid) {
  constexpr std::int64_t limit = std::numeric_limits<int>::max();
  if (value > limit)
    throw known_to_all(
        grid.ranks().size(),
        ResourceError(fmt::format(
            "Cannot pass a matrix with {} {} to ScaLAPACK (its integers end at {}). Use more ranks "
            "per team, or a method that works on parts of the matrix.",
            value, what, limit)));
  return static_cast<int>(value);
}

/// Checked on every rank alike: part 0 of an axis owns the most.
template <class T>
fortran::Operand<T> operand(const DistView<T>& view) {
  const ProcessGrid& grid = *view.grid;
  const Axis &rows = view.distribution.rows(), &columns = view.distribution.columns();
  scalapack_int(rows.local_size(0) * columns.local_size(0), "elements on one rank", grid);
  return {view.local.data,
          scalapack_int(view.row + 1, "rows", grid),
          scalapack_int(view.column + 1, "columns", grid),
          {1, grid.context(), scalapack_int(rows.size(), "rows", grid),
           scalapack_int(columns.size(), "columns", grid),
           scalapack_int(rows.block(), "rows in a block", grid),
           scalapack_int(columns.block(), "columns in a block", grid), 0, 0,
           static_cast<int>(std::max<std::int64_t>(1, view.local.leading))}};
}

}  // namespace rankine::linalg
