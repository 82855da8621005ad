#include "compress/images/kernel_stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/calibration/input_drift.hpp"
#include "compress/kernels/dealt_kernels.hpp"
#include "compress/kernels/kernel_allocation.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "models/image/image_batch.hpp"

namespace rankine::compress {

using models::Batch;
using torch::Tensor;

namespace {

using Forms = std::vector<std::unique_ptr<KernelForm>>;

std::vector<std::string> names_of(const std::vector<Kernel>& kernels) {
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels) names.push_back(kernel.name);
  return names;
}

std::vector<SecondMoment> measure_patches(ImageBench& bench) {
  return bench.timed("calibration", bench.result.seconds.moments, [&] {
    return measure_inputs(bench.network, bench.world, bench.alone, names_of(bench.job.kernels),
                          bench.own_calibration(bench.options.calibration.images))
        .moments;
  });
}

/// Of gradients with labels drawn from the network's own predictions: on the images it was trained
/// on those of the given labels say nothing.
std::vector<SecondMoment> measure_gradients(ImageBench& bench, models::Network& network,
                                            MomentPart part) {
  return bench.timed("calibration", bench.result.seconds.gradients, [&] {
    return measure_output_gradients(
        network, bench.world, bench.alone, names_of(bench.job.kernels),
        bench.own_calibration(bench.options.calibration.gradient_images),
        {.targets = Targets::sampled}, part);
  });
}

/// What a squared error of a kernel counts: its outputs' mean squared gradient, over all places.
std::vector<double> weights_of_errors(const ImageBench& bench,
                                      const std::vector<SecondMoment>& gradients) {
  std::vector<double> weights;
  for (std::size_t k = 0; k < gradients.size(); ++k)
    weights.push_back(gradients[k].mean_diagonal(bench.world) /
                      static_cast<double>(bench.job.kernels[k].places));
  return weights;
}

/// Moments and what errors of kernels count against one another.
struct Norm {
  KernelMoments moments;
  std::vector<double> error_weights = {};  ///< empty for 1
};

Norm measure_norm(ImageBench& bench) {
  const MethodOptions& method = bench.options.method;
  Norm norm{.moments = {.output_ridge = bench.options.calibration.ridge}};
  if (bench.job.is_trained_from_scratch()) return norm;
  if (method.needs_inputs()) norm.moments.inputs = measure_patches(bench);
  const bool is_two_sided = method.weighting == Weighting::two_sided;
  if (!bench.options.needs_gradients()) return norm;
  std::vector<SecondMoment> gradients = measure_gradients(
      bench, bench.network, is_two_sided ? MomentPart::whole : MomentPart::diagonal);
  if (!is_two_sided) {
    norm.error_weights = weights_of_errors(bench, gradients);
    return norm;
  }
  // The whole norm has the gradients in it, but for the number of places that they are sums over.
  for (const Kernel& kernel : bench.job.kernels)
    norm.error_weights.push_back(1.0 / static_cast<double>(kernel.places));
  norm.moments.outputs = std::move(gradients);
  return norm;
}

/// The geometric mean of weights by gradients and of weights that make errors relative. The former
/// trust that errors are small, the latter know nothing of the loss; where much is taken away,
/// neither holds.
std::vector<double> balanced(const std::vector<double>& by_gradients,
                             const std::vector<KernelCurve>& curves) {
  std::vector<double> weights;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const double whole = curves[k].squared_norm;
    weights.push_back(whole > 0 ? std::sqrt(by_gradients[k] / whole) : 0);
  }
  return weights;
}

std::vector<KernelRanks> allocate(const ImageBench& bench, const DealtKernels& kernels,
                                  const std::vector<double>& error_weights) {
  const RankOptions& ranks = bench.options.ranks;
  const auto curves = kernels.curves();
  const bool is_balanced = ranks.error_weights == ErrorWeights::balanced && !error_weights.empty();
  return additive_kernel_ranks(bench.job.kernels, curves,
                               is_balanced ? balanced(error_weights, curves) : error_weights,
                               ranks.parameter_ratio);
}

std::vector<KernelRanks> choose_ranks(const ImageBench& bench, const DealtKernels& kernels,
                                      const Forms& forms,
                                      const std::vector<double>& error_weights) {
  const RankOptions& ranks = bench.options.ranks;
  std::vector<KernelRanks> chosen;
  if (!ranks.tucker.empty() || ranks.rank_fraction > 0) {
    for (const auto& form : forms) {
      KernelRanks given =
          form->at_fraction(ranks.rank_fraction > 0 ? ranks.rank_fraction : 1, ranks.multiple_of);
      if (!ranks.tucker.empty() && form->form() == weights::Form::tucker) given = ranks.tucker;
      chosen.push_back(std::move(given));
    }
    return chosen;
  }
  if (ranks.allocation == Allocation::uniform)
    chosen =
        uniform_kernel_ranks(bench.job.kernels, forms, ranks.parameter_ratio, ranks.multiple_of);
  else
    chosen = allocate(bench, kernels, error_weights);
  // A form that is no smaller than the kernel is not taken.
  for (std::size_t k = 0; k < chosen.size(); ++k)
    if (!chosen[k].empty() &&
        forms[k]->numbers(chosen[k]) >= bench.job.kernels[k].shape.dense_numbers())
      chosen[k] = {};
  return chosen;
}

/// Core first: scaled so that the kernel has the norm it was drawn with.
void restore_norm(std::vector<Tensor>& tensors, const DealtKernels::Made& made) {
  const double kept = made.squared_norm - made.squared_error;
  if (kept > 0) tensors.front().mul_(std::sqrt(made.squared_norm / kept));
}

KernelReport present(const Kernel& kernel, const Tensor& rows) {
  const auto& shape = kernel.shape;
  return {.name = kernel.name,
          .shape = {shape.outputs, shape.inputs, shape.height, shape.width},
          .numbers = rows.numel()};
}

/// Puts a form of a kernel of the original, `rows`, into the network.
KernelReport replace(ImageBench& bench, const Kernel& kernel, const Tensor& rows,
                     const KernelForm& form, DealtKernels::Made made, const KernelRanks& ranks) {
  KernelReport report = present(kernel, rows);
  if (bench.job.is_trained_from_scratch()) restore_norm(made.tensors, made);
  auto weight = form.weight(bench.network.team(), made.tensors, rows.scalar_type());
  report.form = form.form();
  report.ranks = ranks;
  report.numbers = form.numbers(ranks);
  report.weighted_error =
      made.squared_norm > 0 ? std::sqrt(std::max(0.0, made.squared_error) / made.squared_norm) : 0;
  const double before = rows.norm().item<double>();
  report.norm_loss = before > 0 ? 1 - weight->own_rows().norm().item<double>() / before : 0;
  bench.network.replace_weight(kernel.name, std::move(weight));
  return report;
}

}  // namespace

void replace_kernels(ImageBench& bench) {
  const std::vector<Kernel>& kernels = bench.job.kernels;
  if (!bench.job.left.empty())
    log().info("left as they are (grouped, or 1 x 1 without such a cut): {}",
               fmt::join(bench.job.left, ", "));
  Norm norm = measure_norm(bench);
  const torch::NoGradGuard no_gradients;
  bench.timed("decomposition", bench.result.seconds.fit, [&] {
    Forms forms;
    for (const Kernel& kernel : kernels) forms.push_back(form_of(kernel, bench.options));
    const DealtKernels dealt(bench.network, bench.world, kernels, forms, std::move(norm.moments));
    const auto ranks = choose_ranks(bench, dealt, forms, norm.error_weights);
    auto made = dealt.make(ranks);
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      const Tensor rows = weight_of(bench.network, kernels[k].name)->own_rows();
      bench.result.kernels.push_back(ranks[k].empty() ? present(kernels[k], rows)
                                                      : replace(bench, kernels[k], rows, *forms[k],
                                                                std::move(made[k]), ranks[k]));
    }
  });
  log().info("{} fitted in {} (moments {}, gradients {})", counted(std::ssize(kernels), "kernel"),
             format_duration(bench.result.seconds.fit),
             format_duration(bench.result.seconds.moments),
             format_duration(bench.result.seconds.gradients));
}

namespace {

/// The forms that kernels were given, and their ranks.
struct GivenForms {
  Forms forms;
  std::vector<KernelRanks> ranks;

  explicit GivenForms(const ImageBench& bench) {
    for (std::size_t k = 0; k < bench.job.kernels.size(); ++k) {
      forms.push_back(form_of(bench.job.kernels[k], bench.options));
      ranks.push_back(bench.result.kernels[k].ranks);
    }
  }
};

/// What kernels of the original meet in the network as it is.
KernelMoments measure_changed_patches(ImageBench& bench, models::ImageNetwork& original) {
  KernelMoments moments{.output_ridge = bench.options.calibration.ridge};
  bench.timed("calibration", bench.result.seconds.moments, [&] {
    InputDrift drift =
        measure_drift(original, bench.network, bench.alone.team(), names_of(bench.job.kernels),
                      bench.own_calibration(bench.options.calibration.images));
    moments.inputs = std::move(drift.moments);
    moments.changes = std::move(drift.changes);
  });
  if (bench.options.method.weighting == Weighting::two_sided)
    moments.outputs = measure_gradients(bench, original, MomentPart::whole);
  return moments;
}

}  // namespace

void refit_kernels(ImageBench& bench, models::ImageNetwork& original) {
  const std::vector<Kernel>& kernels = bench.job.kernels;
  KernelMoments moments = measure_changed_patches(bench, original);
  const torch::NoGradGuard no_gradients;
  bench.timed("decomposition", bench.result.seconds.fit, [&] {
    const GivenForms given(bench);
    const DealtKernels dealt(original, bench.world, kernels, given.forms, std::move(moments));
    auto made = dealt.make(given.ranks);
    for (std::size_t k = 0; k < kernels.size(); ++k)
      if (!given.ranks[k].empty())
        bench.result.kernels[k] =
            replace(bench, kernels[k], weight_of(original, kernels[k].name)->own_rows(),
                    *given.forms[k], std::move(made[k]), given.ranks[k]);
  });
}

std::map<std::string, std::shared_ptr<weights::Weight>> plain_kernels(
    const ImageBench& bench, const models::ImageNetwork& original) {
  const std::vector<Kernel>& kernels = bench.job.kernels;
  const torch::NoGradGuard no_gradients;
  const GivenForms given(bench);
  const DealtKernels dealt(original, bench.world, kernels, given.forms, {});
  const auto made = dealt.make(given.ranks);
  std::map<std::string, std::shared_ptr<weights::Weight>> plain;
  for (std::size_t k = 0; k < kernels.size(); ++k)
    if (!given.ranks[k].empty())
      plain[kernels[k].name] =
          given.forms[k]->weight(original.team(), made[k].tensors, original.number_type());
  return plain;
}

namespace {

std::vector<Tensor> own_images(const ImageBench& bench) {
  std::vector<Tensor> own;
  for (const Batch& batch : bench.own_calibration(bench.options.calibration.images))
    if (batch.inputs.defined()) own.push_back(batch.inputs);
  return own;
}

}  // namespace

void shift_statistics(ImageBench& bench, const std::vector<models::ChannelMoments>& before) {
  bench.timed("calibration", bench.result.seconds.statistics, [&] {
    models::shift_norm_statistics(bench.network, bench.world, own_images(bench), before);
  });
}

void restore_statistics_of_training(ImageBench& bench) {
  const models::Augmentation how = bench.augmentation();
  bench.timed("calibration", bench.result.seconds.statistics, [&] {
    std::vector<Tensor> own;
    std::int64_t first = 0;  // of a block among all calibration images
    for (const Batch& batch : bench.own_calibration(bench.options.calibration.images)) {
      std::vector<std::int64_t> numbers(
          static_cast<std::size_t>(bench.options.scoring.images.batch_size));
      std::iota(numbers.begin(), numbers.end(), first);
      first += std::ssize(numbers);
      if (!batch.inputs.defined()) continue;
      numbers.resize(static_cast<std::size_t>(batch.inputs.size(0)));
      own.push_back(how.is_wanted() ? models::augment(batch.inputs, numbers, how, 0)
                                    : batch.inputs);
    }
    models::restore_norm_statistics(bench.network, bench.world, std::move(own));
  });
}

std::vector<models::ChannelMoments> measure_statistics(ImageBench& bench) {
  return bench.timed("calibration", bench.result.seconds.statistics, [&] {
    return models::measure_norm_statistics(bench.network, bench.world, own_images(bench));
  });
}

}  // namespace rankine::compress
