// A stored weight, and what a layer does with it.
//
// Each thing that can be done is an interface of its own, which says what it takes and gives on
// each rank, and each has a way by own rows that serves every form. A form does better what it can;
// the models need no change.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "weights/forms/stored_weight.hpp"
#include "weights/rows/convolution.hpp"

namespace rankine::weights {

class LinearMap {
 public:
  virtual ~LinearMap() = default;
  /// x (tokens x inputs, the same on all ranks) W^T: the columns of this rank's rows, tokens x
  /// split().count(rank). Differentiable in x, where each rank gets its share of the gradient
  /// (weights/rows/exchange.hpp), and in the parameters. May be collective over the team.
  virtual torch::Tensor forward(const torch::Tensor& x) const = 0;
};

class RowTable {
 public:
  virtual ~RowTable() = default;
  /// Rows of W for `ids` (int64, any of [0, outputs)) where this rank owns them, zeros elsewhere:
  /// ids x inputs. Differentiable in the parameters. May be collective over the team.
  virtual torch::Tensor look_up(const torch::Tensor& ids) const = 0;
};

class Convolution {
 public:
  virtual ~Convolution() = default;
  /// Images (N x C x H x W, the same on all ranks) under this rank's rows of W as kernels, outputs
  /// x (C/groups kh kw): N x split().count(rank) x H' x W', plus `own_bias` of these outputs, which
  /// may be undefined. N and own rows may be 0. With groups one rank owns all rows. Differentiable
  /// in the images, where each rank gets its share of the gradient, and in the parameters. May be
  /// collective over the team.
  virtual torch::Tensor convolve(const torch::Tensor& images, const ConvolutionGeometry& geometry,
                                 const torch::Tensor& own_bias) const = 0;
};

class Weight : public StoredWeight, public LinearMap, public RowTable, public Convolution {
 public:
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor convolve(const torch::Tensor& images, const ConvolutionGeometry& geometry,
                         const torch::Tensor& own_bias) const override;

 protected:
  using StoredWeight::StoredWeight;
};

/// A form that is storage: its rows are computed from its parameters, and the products are those of
/// a dense weight. While gradients are wanted the rows are computed anew in every pass; without,
/// they are kept until a parameter changes.
class MaterialisedWeight : public Weight {
 public:
  torch::Tensor own_rows() const override;

 protected:
  using Weight::Weight;
  /// This rank's rows, differentiable in the parameters.
  virtual torch::Tensor compute_rows() const = 0;

 private:
  mutable torch::Tensor kept_rows_;
  mutable std::vector<std::int64_t> kept_versions_;
};

}  // namespace rankine::weights
