// What the kernel of a layer may become: how many numbers it has at its ranks, what error it
// leaves, and how it is made.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compress/job/options.hpp"
#include "parallel/communicator.hpp"
#include "weights/forms/kernel_shape.hpp"
#include "weights/forms/weight.hpp"
#include "weights/making/moment_norm.hpp"
#include "weights/rows/convolution_geometry.hpp"

namespace rankine::compress {

/// A kernel that is to be replaced; that of a linear layer is 1 x 1.
struct Kernel {
  std::string name;  ///< of its slot
  weights::KernelShape shape;
  weights::ConvolutionGeometry geometry;
  std::int64_t places = 1;  ///< at which it is applied to an image
};

/// A kernel whole on this rank, outputs x (inputs height width), and the norm of its errors, of the
/// second moments of patches and of output gradients, positive definite. All float64.
struct KernelProblem {
  torch::Tensor matrix;
  weights::MomentNorm norm = {};
  double squared_norm = 0;                       ///< of the kernel in it
  torch::ScalarType products = torch::kFloat64;  ///< of which the moments are sums
};

/// One number for each rank of a form, in its own order.
using KernelRanks = std::vector<std::int64_t>;

struct KernelPoint {
  KernelRanks ranks;
  std::int64_t numbers;
  double squared_error;
};

/// What ranks of a kernel leave of it.
struct KernelCurve {
  double squared_norm = 0;  ///< of the kernel, in the norm of the errors
  std::vector<KernelPoint> points = {};
};

/// A form for kernels of one shape.
class KernelForm {
 public:
  virtual ~KernelForm() = default;

  virtual weights::Form form() const = 0;
  /// The largest ranks there are; at these the form is the kernel itself.
  virtual KernelRanks full() const = 0;
  virtual std::int64_t numbers(const KernelRanks& ranks) const = 0;
  /// Ranks for allocation and their errors, in any order.
  virtual std::vector<KernelPoint> points(const KernelProblem& problem) const = 0;
  /// The tensors of the form, float64.
  virtual std::vector<torch::Tensor> make(const KernelProblem& problem,
                                          const KernelRanks& ranks) const = 0;
  /// The weight of such tensors, stored as `type`.
  virtual std::shared_ptr<weights::Weight> weight(const parallel::Communicator& team,
                                                  const std::vector<torch::Tensor>& tensors,
                                                  torch::ScalarType type) const = 0;

  /// The fraction of every rank, to the nearest multiple of `multiple` but 0, or the full rank.
  KernelRanks at_fraction(double fraction, std::int64_t multiple) const;
};

/// The form of the deck for a kernel: of 1 x 1 kernels and linear layers Tucker kernels are
/// low-rank ones. Nothing for grouped kernels, which are left as they are.
std::unique_ptr<KernelForm> form_of(const Kernel& kernel, const CompressOptions& options);

}  // namespace rankine::compress
