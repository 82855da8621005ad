// How far a form is from the weight it replaces.
#pragma once

#include <optional>

#include "parallel/communicator.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::weights {

struct ConversionReport {
  Form form;
  std::int64_t stored_numbers = 0;
  std::int64_t stored_bytes = 0;
  double relative_error = 0;  ///< ||W - W'||_F / ||W||_F
  /// ||(W - W') S||_F / ||W S||_F; nothing without a whitening factor.
  std::optional<double> weighted_error = std::nullopt;
};

/// Collective over the team; summed in float64. `own_rows`: W in the rows of this rank;
/// `whitening`: S (inputs x any), the same on all ranks.
ConversionReport report_conversion(const Weight& approximation, const torch::Tensor& own_rows,
                                   const parallel::Communicator& team,
                                   const std::optional<torch::Tensor>& whitening = std::nullopt);

/// ||W - W'||_F / ||W||_F. Collective over the team.
double relative_error(const Weight& approximation, const torch::Tensor& own_rows,
                      const parallel::Communicator& team);

}  // namespace rankine::weights
