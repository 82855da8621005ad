// What every LAPACK and ScaLAPACK call needs around it: workspace sizes and argument errors.
// Included by .cpp files only.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/errors.hpp"
#include "linalg/blas.hpp"

namespace rankine::linalg {

/// LAPACK reports an optimal workspace size in the first element, rounded down in single precision:
/// round it up.
template <Scalar T>
int workspace_size(T reported) {
  const double size = std::real(reported);
  return blas_int(static_cast<std::int64_t>(
                      std::nextafter(static_cast<float>(size), std::numeric_limits<float>::max())) +
                  1);
}

inline void require_no_argument_error(const char* routine, int info) {
  if (info < 0) throw LibraryError(fmt::format("{} refused its argument {}.", routine, -info));
}

}  // namespace rankine::linalg
