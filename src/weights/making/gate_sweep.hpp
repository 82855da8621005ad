// Orthogonal gates on one axis, each in turn the best one while all else is fixed.
#pragma once

#include <torch/types.h>

#include <vector>

#include "parallel/communicator.hpp"
#include "weights/rotations/blocks.hpp"

namespace rankine::weights {

/// What a pass over the gates of a circuit V = V_D ... V_1 makes of two matrices whose first axis
/// the circuit acts on; each rank has columns of its own of both (axis x own columns, contiguous,
/// float32 or float64, overwritten).
///
/// In every step one gate g becomes the orthogonal matrix that makes the sum of <A, V B> over all
/// ranks largest: with A and B transformed by all other gates, that is the polar factor U V^T of
/// the environment E = sum A B^T = U S V^T over all that g does not act on. A step costs two
/// products with gates and one environment, 6 N size multiply-adds for a matrix of N numbers.
class GateSweep {
 public:
  /// All gates are identities. `team` outlives the sweep.
  GateSweep(const parallel::Communicator& team, std::vector<BlockLayout> layouts);

  const std::vector<BlockLayout>& layouts() const { return layouts_; }
  /// size x size each, float64, the same on all ranks.
  const std::vector<torch::Tensor>& gates() const { return gates_; }
  bool is_empty() const { return gates_.empty(); }

  /// From (V^T A, B) to (A, V B), the first gates first. Collective over the team.
  void outward(torch::Tensor& a, torch::Tensor& b);
  /// From (A, V B) to (V^T A, B), the last gates first. Collective over the team.
  void inward(torch::Tensor& a, torch::Tensor& b);

  /// V^T A alone.
  void undo(torch::Tensor& a) const;

 private:
  void improve(std::size_t gate, const torch::Tensor& a, const torch::Tensor& b);

  const parallel::Communicator* team_;
  std::vector<BlockLayout> layouts_;
  std::vector<torch::Tensor> gates_;
};

}  // namespace rankine::weights
