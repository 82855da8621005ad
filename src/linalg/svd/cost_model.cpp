#include "linalg/svd/cost_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rankine::linalg {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// What 1e9 operations of this kind take on all ranks, in seconds, at `rate` of one rank; a
/// reduction to tridiagonal form is bound by memory and gains only the square root of the ranks.
struct Speed {
  double gemm;
  double eigen;
  double lapack;
};

Speed seconds_per_gflop(const SvdTask& task, const CostModel& cost) {
  const double work = (task.complex_numbers ? 4.0 : 1.0) * (task.single_precision ? 0.5 : 1.0);
  const double ranks = task.ranks;
  return {work / (cost.gemm_rate * ranks), work / (cost.eigen_rate * std::sqrt(ranks)),
          work / cost.lapack_rate};
}

}  // namespace

double expected_seconds(SvdMethod method, const SvdTask& task, const CostModel& cost) {
  const auto m = static_cast<double>(std::max(task.rows, task.columns)),
             n = static_cast<double>(std::min(task.rows, task.columns)),
             k = std::min(n, static_cast<double>(task.wanted));
  const Speed speed = seconds_per_gflop(task, cost);
  const double steps = task.ranks > 1 ? cost.latency : 0;
  switch (method) {
    case SvdMethod::lapack:
      return 4e-9 * m * n * n * speed.lapack + 4 * steps;
    case SvdMethod::gram:
      // A^H A and U^H U by half, A V, one triangular solve; then the eigenproblem.
      return 1e-9 * (m * n * n + 4 * m * n * k) * speed.gemm + 4e-9 * n * n * n * speed.eigen +
             40 * steps;
    case SvdMethod::randomized: {
      if (k > n / 8) return never;
      // About five blocks of k/2 vectors: two products each with A, orthogonalised twice, at half
      // the rate of square products, and as much again in small matrices.
      const double vectors = 3 * k + 40;
      return 1e-9 * (4 * m * n * vectors + 8 * (m + n) * vectors * vectors) * 4 * speed.gemm +
             4e-9 * std::pow(vectors, 3) * speed.lapack + 80 * steps;
    }
    case SvdMethod::trlanczos: {
      if (k > n / 8 || !task.slepc) return never;
      // One vector at a time: at the speed of the cache if a rank's rows fit in it, else of memory.
      const double bytes = m * n * (task.single_precision ? 4 : 8) * (task.complex_numbers ? 2 : 1);
      const double slower = bytes / task.ranks <= 8e6 ? 5 : 17;
      return 4e-9 * m * n * (2.8 * k + 20) * slower * speed.gemm + 20 * steps;
    }
    default:
      return never;
  }
}

Forecast choose_method(const SvdTask& task, const SvdOptions& options) {
  if (options.method != SvdMethod::automatic)
    return {options.method, expected_seconds(options.method, task, options.cost)};
  Forecast best{SvdMethod::gram, never};
  for (const SvdMethod method :
       {SvdMethod::lapack, SvdMethod::gram, SvdMethod::randomized, SvdMethod::trlanczos}) {
    const double seconds = expected_seconds(method, task, options.cost);
    if (seconds < best.seconds) best = {method, seconds};
  }
  return best;
}

}  // namespace rankine::linalg
