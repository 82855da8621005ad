#include "weights/making/conversion.hpp"

#include <cmath>

#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// ||part||_F / ||whole||_F over the rows of all ranks; 0 for a whole of zeros.
double norm_ratio(const parallel::Communicator& team, const Tensor& part, const Tensor& whole) {
  const double squares = team.sum(part.square().sum().item<double>());
  const double total = team.sum(whole.square().sum().item<double>());
  return total > 0 ? std::sqrt(squares / total) : 0;
}

}  // namespace

ConversionReport report_conversion(const Weight& approximation, const Tensor& own_rows,
                                   const parallel::Communicator& team,
                                   const std::optional<Tensor>& whitening) {
  const torch::NoGradGuard no_gradients;
  const Tensor exact = own_rows.to(torch::kFloat64);
  const Tensor error = approximation.own_rows().to(torch::kFloat64) - exact;
  ConversionReport report{approximation.form(), approximation.stored_numbers(),
                          approximation.stored_bytes(), norm_ratio(team, error, exact)};
  if (whitening) {
    const Tensor transposed = whitening->to(torch::kFloat64).t();
    report.weighted_error =
        norm_ratio(team, times_transposed(error, transposed), times_transposed(exact, transposed));
  }
  return report;
}

double relative_error(const Weight& approximation, const Tensor& own_rows,
                      const parallel::Communicator& team) {
  return report_conversion(approximation, own_rows, team).relative_error;
}

}  // namespace rankine::weights
