// A convolution kernel in Tucker form: a small core and a factor for each axis that is cut.
//
// K[o, i, h, w] = sum U[o, a] V[i, b] P[h, c] Q[w, d] G[a, b, c, d]. A factor that is not there is
// the identity. As a layer this is a 1x1 convolution by V, one by the core, which moves as the
// kernel does, and a 1x1 convolution by U.
#pragma once

#include <memory>

#include "weights/forms/kernel_shape.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::weights {

struct TuckerFactors {
  torch::Tensor core;    ///< r_o x r_i x r_h x r_w
  torch::Tensor output;  ///< outputs (or own ones) x r_o; undefined for the identity, as the others
  torch::Tensor input;   ///< inputs x r_i
  torch::Tensor height;  ///< kernel height x r_h
  torch::Tensor width;   ///< kernel width x r_w

  /// Of the core with its factors but that of the outputs: r_o or outputs x inputs x height x
  /// width.
  KernelShape shape() const;
};

/// The kernel matrix: rows of `factors.output` x (inputs height width). Differentiable.
torch::Tensor contract(const TuckerFactors& factors);

/// Sizes of the core; the size of an axis where it is not cut.
struct TuckerRanks {
  std::int64_t output = 0;
  std::int64_t input = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Numbers in core and factors, of which a rank that is full has none.
std::int64_t tucker_numbers(const KernelShape& shape, const TuckerRanks& ranks);

/// The factor of the outputs lies in row blocks; every rank holds the core and the other factors.
class Tucker final : public MaterialisedWeight {
 public:
  /// `factors.output` are own rows; all else is the same on all ranks.
  Tucker(const parallel::Communicator& team, RowSplit split, TuckerFactors factors);

  Form form() const override { return Form::tucker; }
  /// The largest rank of the two channel axes.
  std::int64_t kept_rank() const override;
  std::int64_t inputs() const override { return factors_.shape().columns(); }
  /// Of kernels without groups.
  torch::Tensor convolve(const torch::Tensor& images, const ConvolutionGeometry& geometry,
                         const torch::Tensor& own_bias) const override;
  std::vector<Parameter> parameters() const override;

  /// They share their memory with the weight; the factor of the outputs in own rows.
  const TuckerFactors& factors() const { return factors_; }

 private:
  torch::Tensor compute_rows() const override;
  /// Core and factors, whose gradients are summed over the ranks, as each has its share.
  TuckerFactors shared() const;

  TuckerFactors factors_;
};

/// Of whole factors, the same on all ranks, which are copied; stored as `type` (float32 or
/// float64).
std::unique_ptr<Tucker> make_tucker(const parallel::Communicator& team, const RowSplit& split,
                                    const TuckerFactors& whole, torch::ScalarType type);

std::unique_ptr<Weight> read_tucker(const parallel::Communicator& team, const DenseSource& source,
                                    const StoredTensors& tensors);

}  // namespace rankine::weights
