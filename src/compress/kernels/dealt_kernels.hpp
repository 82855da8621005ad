// The kernels of a network, each with its norm whole on one rank, which finds its errors and makes
// its form for all.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "compress/calibration/moments.hpp"
#include "compress/kernels/kernel_form.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"

namespace rankine::compress {

/// Moments of all kernels in their order; empty where the norm has none.
struct KernelMoments {
  std::vector<SecondMoment> inputs = {};  ///< of patches, summed over all images
  /// Where patches x' are no longer those x of the network: this rank's sums of W (x - x') x'^T, by
  /// which kernels W become those that make W x of x' best.
  std::vector<torch::Tensor> changes = {};
  std::vector<SecondMoment> outputs =
      {};                     ///< of gradients of the loss, summed over images and places
  double output_ridge = 0.1;  ///< added to these, times their mean diagonal
};

class DealtKernels {
 public:
  /// `forms` are those of `kernels`. Collective over `world`: every rank holds the network. Moments
  /// are given up. What is given outlives it.
  DealtKernels(const models::Network& network, const parallel::Communicator& world,
               const std::vector<Kernel>& kernels,
               const std::vector<std::unique_ptr<KernelForm>>& forms, KernelMoments moments);

  /// The curve of each kernel, on all ranks. Collective.
  std::vector<KernelCurve> curves() const;

  struct Made {
    std::vector<torch::Tensor> tensors;
    double squared_error = 0;  ///< in the norm
    double squared_norm = 0;   ///< of the kernel in it
  };
  /// The form of each kernel at its ranks, on all ranks; nothing for a kernel without. Collective.
  std::vector<Made> make(const std::vector<KernelRanks>& ranks) const;

 private:
  using Work = std::function<void(std::size_t kernel)>;
  /// Runs `work` for own kernels; what fails on one rank fails on all.
  void for_own(const char* what, const Work& work) const;

  const models::Network& network_;
  const parallel::Communicator& world_;
  const std::vector<Kernel>& kernels_;
  const std::vector<std::unique_ptr<KernelForm>>& forms_;
  std::vector<int> owners_;
  std::vector<KernelProblem> problems_;  ///< with tensors where they are owned
};

}  // namespace rankine::compress
