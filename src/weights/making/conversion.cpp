#include "weights/making/conversion.hpp"

#include <algorithm>
#include <cmath>

#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Sums of squares over this rank's rows, which are added in pieces.
struct Squares {
  double part = 0, whole = 0;

  void add(const Tensor& error, const Tensor& exact) {
    part += error.square().sum().item<double>();
    whole += exact.square().sum().item<double>();
  }
  /// ||part||_F / ||whole||_F over the rows of all ranks; 0 for a whole of zeros.
  double ratio(const parallel::Communicator& team) const {
    const double squares = team.sum(part), total = team.sum(whole);
    return total > 0 ? std::sqrt(squares / total) : 0;
  }
};

}  // namespace

ConversionReport report_conversion(const Weight& approximation, const Tensor& own_rows,
                                   const parallel::Communicator& team,
                                   const std::optional<Tensor>& whitening) {
  const torch::NoGradGuard no_gradients;
  constexpr std::int64_t at_once = 4096;
  const Tensor found = approximation.own_rows();
  Squares plain, weighted;
  for (std::int64_t first = 0; first < own_rows.size(0); first += at_once) {
    const std::int64_t count = std::min(at_once, own_rows.size(0) - first);
    const Tensor exact = own_rows.narrow(0, first, count).to(torch::kFloat64);
    const Tensor error = found.narrow(0, first, count).to(torch::kFloat64) - exact;
    plain.add(error, exact);
    if (!whitening) continue;
    const Tensor transposed = whitening->to(torch::kFloat64).t();
    weighted.add(times_transposed(error, transposed), times_transposed(exact, transposed));
  }
  ConversionReport report{approximation.form(), approximation.stored_numbers(),
                          approximation.stored_bytes(), plain.ratio(team)};
  if (whitening) report.weighted_error = weighted.ratio(team);
  return report;
}

double relative_error(const Weight& approximation, const Tensor& own_rows,
                      const parallel::Communicator& team) {
  return report_conversion(approximation, own_rows, team).relative_error;
}

}  // namespace rankine::weights
