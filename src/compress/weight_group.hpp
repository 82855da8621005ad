// Weights with shared inputs on their way to their singular components.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "compress/factors.hpp"

namespace rankine::compress {

/// What a decomposition needs of one weight, and where its result goes.
struct WeightTask {
  const weights::Weight& weight;
  const SecondMoment* outputs;  ///< null for a one-sided norm
  WeightFactors& result;
};

struct GroupTask {
  InputWeighting weighting = InputWeighting::none;
  const SecondMoment* inputs = nullptr;  ///< null for `none`
  double ridge = 0;
  torch::ScalarType type = torch::kFloat32;  ///< of the model, and of the bases
  std::vector<WeightTask> weights = {};
};

/// Which rows of W this rank brings in where the first team stands for all.
weights::RowRange rows_brought(const weights::Weight& weight, const parallel::Teams& teams);
/// Those rows, of type `type`.
torch::Tensor own_rows_brought(const weights::Weight& weight, const parallel::Teams& teams,
                               torch::ScalarType type);

/// Throws NumericalError where the trace of the second moment of output gradients is zero or not
/// finite.
void require_usable_trace(double trace, const std::string& weight);

}  // namespace rankine::compress
