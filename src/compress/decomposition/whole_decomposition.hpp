// The decomposition of a group of weights on one rank, which holds the matrices as wholes.
#pragma once

#include <torch/types.h>

#include <vector>

#include "compress/decomposition/decomposition_task.hpp"

namespace rankine::compress {

class WholeGroup {
 public:
  /// Brings the matrices to rank `owner`. Collective over `world`, which outlives the results.
  WholeGroup(const GroupTask& task, const parallel::Communicator& world,
             const parallel::Teams& teams, int owner);

  bool is_mine() const { return world_.rank() == owner_; }
  /// The work itself, on the owner; not collective. NumericalError as `decompose`.
  void run();
  /// Makes the results known to all ranks. Collective.
  void finish();

 private:
  struct Member {
    WeightFactors* result;
    std::int64_t rows;
    torch::Tensor matrix;         ///< m x n, float64
    torch::Tensor output_moment;  ///< m x m
    torch::Tensor left;
    torch::Tensor right;
    std::vector<double> singular_values;
  };

  const parallel::Communicator& world_;
  int owner_;
  double ridge_;
  double input_ridge_;
  torch::ScalarType type_;
  std::int64_t columns_;
  torch::Tensor input_moment_;
  std::vector<Member> members_;
};

}  // namespace rankine::compress
