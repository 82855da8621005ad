// Kernels in Tucker form; and which form a kernel gets.
#include <algorithm>

#include "compress/kernels/kernel_forms.hpp"
#include "core/contracts.hpp"
#include "weights/forms/tucker.hpp"
#include "weights/making/tucker_fit.hpp"

namespace rankine::compress {

using torch::Tensor;
using weights::KernelShape;

namespace {

/// Ranks are those of outputs and inputs, and of height and width where those are cut too.
class TuckerKernel final : public KernelForm {
 public:
  TuckerKernel(const KernelShape& shape, bool cuts_pixels, std::int64_t multiple, int sweeps)
      : shape_(shape), cuts_pixels_(cuts_pixels), multiple_(multiple), sweeps_(sweeps) {}

  weights::Form form() const override { return weights::Form::tucker; }
  KernelRanks full() const override {
    KernelRanks all{shape_.outputs, shape_.inputs};
    if (cuts_pixels_) all.insert(all.end(), {shape_.height, shape_.width});
    return all;
  }
  std::int64_t numbers(const KernelRanks& ranks) const override {
    return weights::tucker_numbers(shape_, tucker_ranks(ranks));
  }

  std::vector<KernelPoint> points(const KernelProblem& problem) const override {
    const std::vector<std::int64_t> inputs = grid(shape_.inputs);
    const Tensor errors = weighted(problem).errors(inputs);
    std::vector<KernelPoint> points;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      for (const std::int64_t output : ranks_of_outputs()) {
        const KernelRanks ranks{output, inputs[i]};
        points.push_back(
            {ranks, numbers(ranks), errors[static_cast<std::int64_t>(i)][output].item<double>()});
      }
    return points;
  }

  /// Core and the factors of outputs, inputs, height and width; empty where there is none.
  std::vector<Tensor> make(const KernelProblem& problem, const KernelRanks& ranks) const override {
    const weights::TuckerFactors f = weighted(problem).fit(tucker_ranks(ranks), sweeps_).factors;
    std::vector<Tensor> tensors{f.core, f.output, f.input, f.height, f.width};
    for (Tensor& tensor : tensors)
      if (!tensor.defined()) tensor = torch::empty({0}, torch::kFloat64);
    return tensors;
  }

  std::shared_ptr<weights::Weight> weight(const parallel::Communicator& team,
                                          const std::vector<Tensor>& tensors,
                                          torch::ScalarType type) const override {
    const auto factor = [&](std::size_t t) {
      return tensors[t].numel() > 0 ? tensors[t] : Tensor();
    };
    return weights::make_tucker(team, weights::RowSplit::even(shape_.outputs, 1),
                                {tensors[0], factor(1), factor(2), factor(3), factor(4)}, type);
  }

 private:
  weights::TuckerRanks tucker_ranks(const KernelRanks& ranks) const {
    if (ranks.size() < 4) return {ranks[0], ranks[1], shape_.height, shape_.width};
    return {ranks[0], ranks[1], ranks[2], ranks[3]};
  }

  /// At most some dozen ranks of an axis, the full one among them.
  std::vector<std::int64_t> grid(std::int64_t length) const {
    constexpr std::int64_t most = 16;
    const std::int64_t step =
        std::max<std::int64_t>(1, (length / most + multiple_ - 1) / multiple_) * multiple_;
    std::vector<std::int64_t> ranks;
    if (multiple_ < std::min(step, length)) ranks.push_back(multiple_);  // the smallest there is
    for (std::int64_t rank = step; rank < length; rank += step) ranks.push_back(rank);
    ranks.push_back(length);
    return ranks;
  }
  std::vector<std::int64_t> ranks_of_outputs() const {
    std::vector<std::int64_t> ranks;
    for (std::int64_t rank = multiple_; rank < shape_.outputs; rank += multiple_)
      ranks.push_back(rank);
    ranks.push_back(shape_.outputs);
    return ranks;
  }

  weights::WeightedKernel weighted(const KernelProblem& problem) const {
    return weights::WeightedKernel(
        problem.matrix.view({shape_.outputs, shape_.inputs, shape_.height, shape_.width}),
        problem.norm, problem.products);
  }

  KernelShape shape_;
  bool cuts_pixels_;
  std::int64_t multiple_;
  int sweeps_;
};

}  // namespace

std::unique_ptr<KernelForm> tucker_kernel(const Kernel& kernel, const CompressOptions& options) {
  const bool cuts_pixels = options.ranks.tucker.size() == 4;
  return std::make_unique<TuckerKernel>(kernel.shape, cuts_pixels, options.ranks.multiple_of,
                                        static_cast<int>(options.method.sweeps));
}

std::unique_ptr<KernelForm> form_of(const Kernel& kernel, const CompressOptions& options) {
  if (kernel.geometry.groups > 1) return nullptr;
  switch (options.method.form) {
    case weights::Form::tucker:
      return kernel.geometry.area() == 1 ? low_rank_kernel(kernel, options)
                                         : tucker_kernel(kernel, options);
    case weights::Form::matrix_product:
      return matrix_product_kernel(kernel, options);
    case weights::Form::cut:
      return kernel.geometry.area() == 1 ? nullptr : cut_kernel(kernel, options);
    case weights::Form::low_rank:
      return low_rank_kernel(kernel, options);
    default:
      return nullptr;
  }
}

}  // namespace rankine::compress
