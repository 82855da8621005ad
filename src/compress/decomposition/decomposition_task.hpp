// Weights with shared inputs on their way to their singular components.
#pragma once

#include <torch/types.h>

#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"

namespace rankine::compress {

/// What a decomposition needs of one weight, and where its result goes.
struct WeightTask {
  const weights::Weight& weight;
  const SecondMoment* outputs;  ///< null for a one-sided norm
  WeightFactors& result;
};

struct GroupTask {
  InputWeighting weighting = InputWeighting::none;
  const SecondMoment* inputs = nullptr;      ///< null for `none`
  double ridge = 0;                          ///< of output moments
  double input_ridge = 0;                    ///< of `inputs`
  torch::ScalarType type = torch::kFloat32;  ///< of the model, and of the bases
  std::vector<WeightTask> weights = {};
};

/// The rows of W that this rank contributes to work of all ranks: its own in the first team, none
/// in the others, which hold the same.
weights::RowRange contributed_range(const weights::Weight& weight, const parallel::Teams& teams);
/// Those rows, of type `type`.
torch::Tensor contributed_rows(const weights::Weight& weight, const parallel::Teams& teams,
                               torch::ScalarType type);
/// The rows `wanted`, of type `type`, in float64 on rank `owner`, none elsewhere. Collective over
/// `world`.
torch::Tensor rows_on(const weights::Weight& weight, const parallel::Communicator& world,
                      const parallel::Teams& teams, weights::RowRange wanted, int owner,
                      torch::ScalarType type);
/// All of them.
torch::Tensor whole_matrix_on(const weights::Weight& weight, const parallel::Communicator& world,
                              const parallel::Teams& teams, int owner, torch::ScalarType type);

}  // namespace rankine::compress
