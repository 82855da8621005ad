// The matrix that answers best where the inputs of a weight have changed.
//
// What a weight W should answer, y, for what it reads in the changed network, x', has the least
// squares solution W_s = (sum y x'^T) (sum x' x'^T)^{-1}, and the error of any W' against y is that
// against W_s in the norm of sum x' x'^T, and a rest that no W' lowers. So every form made in that
// norm of W_s instead of W is one that answers y.
#pragma once

#include <torch/types.h>

#include <memory>

#include "compress/calibration/moments.hpp"
#include "linalg/distributed/dist_matrix.hpp"
#include "parallel/teams.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::compress {

/// Of the weights that read one activation. Methods are collective over the world.
class ShiftedTargets {
 public:
  /// `ridge` parts of the mean diagonal of the moment `inputs` draw W_s to W where the text says
  /// little. NumericalError on all ranks for a moment that is not finite.
  ShiftedTargets(const parallel::Communicator& world, const parallel::Teams& teams,
                 const SecondMoment& inputs, double ridge, std::int64_t block);

  /// Own rows of W_s, of W's type. `target`: own rows of the sum y x'^T; W itself where nothing was
  /// read.
  torch::Tensor own_rows(const weights::Weight& original, const torch::Tensor& target) const;

 private:
  const parallel::Communicator& world_;
  const parallel::Teams& teams_;
  std::shared_ptr<const linalg::ProcessGrid> grid_;
  std::int64_t block_;
  double added_ = 0;                   ///< to the diagonal; 0 where nothing was read
  linalg::DistMatrix<double> factor_;  ///< R with R^T R the moment, in its upper triangle
};

}  // namespace rankine::compress
