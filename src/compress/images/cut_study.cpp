#include "compress/images/cut_study.hpp"

#include <fmt/format.h>

#include "compress/kernels/kernel_forms.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "weights/making/kernel_cuts.hpp"

namespace rankine::compress {

using weights::KernelCut;

namespace {

/// Kernels of the study decomposed along a cut.
struct DecomposedKernels {
  std::vector<std::unique_ptr<KernelForm>> forms;
  std::vector<weights::DecomposedKernel> kernels;
};

DecomposedKernels decompose(const ImageBench& bench, KernelCut cut) {
  CompressOptions options = bench.options;
  options.method.form = weights::Form::cut;
  options.method.cut = cut;
  DecomposedKernels decomposed;
  for (const Kernel& kernel : bench.job.kernels) {
    const auto& shape = kernel.shape;
    const torch::Tensor rows = weight_of(bench.network, kernel.name)->own_rows();
    decomposed.forms.push_back(cut_kernel(kernel, options));
    decomposed.kernels.emplace_back(
        rows.to(torch::kFloat64).view({shape.outputs, shape.inputs, shape.height, shape.width}),
        cut);
  }
  return decomposed;
}

/// Truncated at a fraction of their ranks, one for each kernel.
struct TruncatedKernels {
  std::vector<std::shared_ptr<weights::Weight>> weights;
  std::vector<std::int64_t> ranks;
  std::vector<double> norm_losses;
};

TruncatedKernels truncate(const ImageBench& bench, const DecomposedKernels& decomposed,
                          double fraction) {
  TruncatedKernels truncated;
  for (std::size_t k = 0; k < decomposed.kernels.size(); ++k) {
    const KernelForm& form = *decomposed.forms[k];
    const torch::Tensor rows = weight_of(bench.network, bench.job.kernels[k].name)->own_rows();
    const std::int64_t rank = form.at_fraction(fraction, 1)[0];
    auto weight = form.weight(bench.network.team(), {decomposed.kernels[k].truncated(rank)},
                              rows.scalar_type());
    const double before = rows.norm().item<double>();
    truncated.norm_losses.push_back(
        before > 0 ? 1 - weight->own_rows().norm().item<double>() / before : 0);
    truncated.ranks.push_back(rank);
    truncated.weights.push_back(std::move(weight));
  }
  return truncated;
}

class CutStudy {
 public:
  explicit CutStudy(ImageBench& bench) : bench_(bench) {
    const auto& profile = bench.options.sensitivity;
    total_ = std::ssize(profile.cuts) * std::ssize(profile.rank_fractions) *
             (std::ssize(bench.job.kernels) + 1);
  }

  void run() {
    const torch::NoGradGuard no_gradients;
    for (const KernelCut cut : bench_.options.sensitivity.cuts) {
      const DecomposedKernels decomposed = decompose(bench_, cut);
      for (const double fraction : bench_.options.sensitivity.rank_fractions)
        study(cut, fraction, truncate(bench_, decomposed, fraction));
    }
  }

 private:
  void study(KernelCut cut, double fraction, const TruncatedKernels& truncated) {
    const auto& kernels = bench_.job.kernels;
    double losses = 0;
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      losses += truncated.norm_losses[k];
      add({cut, fraction, kernels[k].name, truncated.ranks[k], truncated.norm_losses[k]},
          {kernels[k].name}, {truncated.weights[k]});
    }
    std::vector<std::string> names;
    for (const Kernel& kernel : kernels) names.push_back(kernel.name);
    add({cut, fraction, "", 0, losses / static_cast<double>(kernels.size())}, names,
        truncated.weights);
    bench_.save();
  }

  /// The score with these weights in place of the network's own.
  void add(CutPoint point, const std::vector<std::string>& names,
           const std::vector<std::shared_ptr<weights::Weight>>& weights) {
    models::TemporaryWeights changed(bench_.network);
    for (std::size_t w = 0; w < names.size(); ++w) changed.replace(names[w], weights[w]);
    const models::ImageScores scores = bench_.score();
    point.accuracy = scores.classification.accuracy;
    point.loss = scores.classification.loss;
    bench_.result.cuts.push_back(std::move(point));
    progress_.update(
        static_cast<double>(bench_.result.cuts.size()) / static_cast<double>(total_),
        fmt::format("cut {} at {}", name_in(weights::kernel_cut_names, point.cut), point.fraction));
  }

  ImageBench& bench_;
  std::int64_t total_;
  ProgressLine progress_{bench_.world.rank() == 0 ? Output::shown : Output::silent};
};

}  // namespace

void study_cuts(ImageBench& bench) {
  bench.timed("study", bench.result.seconds.study, [&] { CutStudy(bench).run(); });
}

}  // namespace rankine::compress
