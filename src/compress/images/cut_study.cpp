#include "compress/images/cut_study.hpp"

#include <fmt/format.h>

#include "compress/kernels/kernel_forms.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"

namespace rankine::compress {

using weights::KernelCut;

namespace {

/// Kernels of the study truncated along a cut, one for each kernel.
struct TruncatedKernels {
  std::vector<std::shared_ptr<weights::Weight>> weights;
  std::vector<std::int64_t> ranks;
  std::vector<double> norm_losses;
};

TruncatedKernels truncate(const ImageBench& bench, KernelCut cut, double fraction) {
  CompressOptions options = bench.options;
  options.method.form = weights::Form::cut;
  options.method.cut = cut;
  TruncatedKernels truncated;
  for (const Kernel& kernel : bench.job.kernels) {
    const auto form = cut_kernel(kernel, options);
    const torch::Tensor rows = weight_of(bench.network, kernel.name)->own_rows();
    const KernelRanks ranks = form->at_fraction(fraction, 1);
    const KernelProblem problem{.matrix = rows.to(torch::kFloat64)};
    auto weight =
        form->weight(bench.network.team(), form->make(problem, ranks), rows.scalar_type());
    const double before = rows.norm().item<double>();
    truncated.norm_losses.push_back(
        before > 0 ? 1 - weight->own_rows().norm().item<double>() / before : 0);
    truncated.ranks.push_back(ranks[0]);
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
    for (const KernelCut cut : bench_.options.sensitivity.cuts)
      for (const double fraction : bench_.options.sensitivity.rank_fractions) study(cut, fraction);
  }

 private:
  void study(KernelCut cut, double fraction) {
    const torch::NoGradGuard no_gradients;
    const TruncatedKernels truncated = truncate(bench_, cut, fraction);
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
  bench.timed(bench.result.seconds.study, [&] { CutStudy(bench).run(); });
}

}  // namespace rankine::compress
