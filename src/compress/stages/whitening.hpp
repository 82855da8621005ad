// Coordinates for the training of W' = A B in which a move costs alike in every direction: with
// C = R R^T, the moment of the output gradients, and G = L L^T, that of the inputs, A = R^{-T} A~
// and B = B~ L^{-1}. To second order an error E costs tr(C E G E^T), so that A~ and B~ see the unit
// matrix where A and B see C and G.
//
// That is the preconditioner of K-FAC (Martens and Grosse, arXiv:1503.05671) with moments that are
// there already. Both get a tenth of the harmonic mean of their diagonals as a ridge, which a few
// loud channels do not move, and inverse factors are scaled so that moves of +-1 in all new numbers
// are +-1 in the old ones, on average: learning rates keep their meaning.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "train/adamw.hpp"

namespace rankine::compress {

/// The inverse factor of a moment that is not zero, n x n (lower triangular) or its n diagonal
/// numbers, with ridge and scale: K with K^T K ~ (moment)^{-1}, float64. Throws NumericalError for
/// numbers that are not finite.
torch::Tensor whitening_factor(const torch::Tensor& moment);

class Whitening {
 public:
  /// Inverse factors of all moments of the norm, which has the weights `names`, on all ranks.
  /// Collective over the world. Throws on all ranks as whitening_factor does.
  Whitening(const models::Network& network, const parallel::Communicator& world,
            const std::vector<std::string>& names, const ErrorNorm& norm);

  /// Of each parameter of the weights `names`, in their order: those of two factors have them.
  /// The network outlives them.
  std::vector<train::Coordinates> of(const models::Network& network,
                                     const std::vector<std::string>& names) const;

 private:
  std::map<std::string, std::size_t> place_;  ///< of a weight in the norm
  std::vector<torch::Tensor> inputs_;         ///< undefined for moments of zeros
  std::vector<std::size_t> input_of_weight_;
  std::vector<torch::Tensor> outputs_;  ///< one for each weight, or none
};

}  // namespace rankine::compress
