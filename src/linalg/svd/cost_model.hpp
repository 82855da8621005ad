// What each SVD method costs, and the choice of the cheapest.
#pragma once

#include "linalg/svd/options.hpp"

namespace rankine::linalg {

struct SvdTask {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t wanted = 0;  ///< the largest rank that may be kept
  int ranks = 1;
  bool single_precision = false;
  bool complex_numbers = false;
  bool slepc = false;  ///< whether SLEPc runs, in a build that can take these numbers
};

struct Forecast {
  SvdMethod method = SvdMethod::automatic;
  double seconds = 0;
};

/// Expected seconds of one method; infinite for what the automatic choice never takes: scalapack
/// and cross, which are slower everywhere on the map of docs/performance.md, Krylov methods for
/// more than an eighth of the triplets, and trlanczos without SLEPc.
double expected_seconds(SvdMethod method, const SvdTask& task, const CostModel& cost);

/// The method of `options`, or for automatic the one expected to be fastest.
Forecast choose_method(const SvdTask& task, const SvdOptions& options);

}  // namespace rankine::linalg
