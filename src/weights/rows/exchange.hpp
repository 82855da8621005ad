// What a team of ranks exchanges between row blocks, as differentiable operations.
//
// Activations are tokens x features. An activation is either the same on all ranks, and then so is
// its gradient; or own columns, of the rows a rank owns of the weight that made it. A row-block
// product takes the former and makes the latter, and each rank knows only its share of the gradient
// of the input: the shares add up to it. The three operations below keep both statements true.
//
// All of them are collective over the team in the forward and in the backward pass; ranks that own
// nothing take part. With one rank they do nothing.
#pragma once

#include <torch/types.h>

#include <vector>

#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::weights {

/// What the gradient that reaches a gathered activation is.
enum class Gradient {
  same,    ///< complete on every rank, because what follows is computed alike on all
  shares,  ///< to be summed over the ranks, because each goes on with rows of its own
};

/// Own columns (tokens x split.count(rank)) of all ranks, side by side: tokens x split.total().
torch::Tensor gather_columns(const parallel::Communicator& team, const torch::Tensor& own,
                             const RowSplit& split, Gradient gradient);

/// `x` itself; the backward pass sums the gradients of all ranks. Stands before the products that
/// read one activation, so that their shares travel together.
torch::Tensor share_input(const parallel::Communicator& team, const torch::Tensor& x);

/// The sum over the ranks; the backward pass gives each rank the gradient as it is.
torch::Tensor sum_over_ranks(const parallel::Communicator& team, const torch::Tensor& part);

/// Sums the tensors in place over `peers`, the ranks of different teams that hold the same row
/// blocks (data parallel gradients). Tensors that are undefined on all peers are left alone.
void sum_in_place(const parallel::Communicator& peers, const std::vector<torch::Tensor>& tensors);

}  // namespace rankine::weights
