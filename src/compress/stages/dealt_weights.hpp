// Whole matrices, or some of their rows, with their moments, dealt out to the ranks: what is made
// of a matrix by one rank.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"
#include "weights/making/moment_norm.hpp"

namespace rankine::compress {

/// Selected weights, and the norm of their errors, which has them in this order.
struct NormedWeights {
  std::vector<std::size_t> weights;
  const ErrorNorm& norm;
  Output progress = Output::silent;
};

/// With progress shown on rank 0.
NormedWeights all_weights(const Workbench& bench, const ErrorNorm& norm);

/// Rows of the weight at a place of a group.
struct RowsOfWeight {
  std::size_t place = 0;
  weights::RowRange rows = {};
};

/// A weight, or some of its rows, on this rank.
struct DealtWeight {
  std::size_t place;  ///< in its group
  weights::RowRange rows;
  torch::Tensor w;  ///< float64
  weights::MomentNorm norm = {};
  std::vector<torch::Tensor> token_moments = {};  ///< ErrorNorm::token_moments of the weight
  torch::Tensor row_weights = {};  ///< where only the diagonal of the output moments is known
  bool has_errors = true;          ///< false where inputs or output gradients are zeros
};

/// `pieces`, the largest first, a batch for all ranks at a time: `work` on the own piece of a
/// batch, then `share` with its root, collective, for every piece; those of one weight are of one
/// size but for the last, and come in their order. `what` is made: "codebooks". Weights that come
/// in pieces have no whole output moment. Collective over the world.
void for_each_dealt_piece(const Workbench& bench, const NormedWeights& group,
                          std::vector<RowsOfWeight> pieces, const std::string& what,
                          const std::function<void(const DealtWeight&)>& work,
                          const std::function<void(const RowsOfWeight& piece, int root)>& share);

/// Weights as wholes, those at the places `chosen` of the group, in the same way: "operators".
/// Collective over the world.
void for_each_dealt_weight(const Workbench& bench, const NormedWeights& group,
                           std::vector<std::size_t> chosen, const std::string& what,
                           const std::function<void(const DealtWeight&)>& work,
                           const std::function<void(std::size_t place, int root)>& share);

/// The places of all weights of a group.
std::vector<std::size_t> all_places(const NormedWeights& group);

}  // namespace rankine::compress
