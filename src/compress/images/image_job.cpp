#include "compress/images/image_job.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "compress/job/selection.hpp"
#include "compress/kernels/kernel_allocation.hpp"
#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "files/output_folder.hpp"
#include "models/evaluation/forecast.hpp"
#include "weights/making/kernel_cut.hpp"

namespace rankine::compress {

using models::LayerKind;
using models::LayerPlan;

namespace {

Kernel kernel_of(const LayerPlan& layer) {
  const std::int64_t inputs = layer.inputs.channels / layer.geometry.groups;
  return {
      .name = layer.name,
      .shape = {layer.outputs.channels, inputs, layer.geometry.kernel[0], layer.geometry.kernel[1]},
      .geometry = layer.geometry,
      .places = layer.outputs.pixels()};
}

std::vector<Kernel> selected_kernels(const models::NetworkPlan& plan,
                                     const std::vector<std::string>& patterns) {
  std::vector<Kernel> all;
  std::vector<NamedShape> names;
  plan.for_each([&](const LayerPlan& layer) {
    if (!layer.has_kernel()) return;
    all.push_back(kernel_of(layer));
    names.push_back({layer.name, {}});
  });
  const auto chosen = select_weights(names, patterns, "select.weights");
  std::erase_if(all, [&](const Kernel& kernel) {
    return std::ranges::find(chosen, kernel.name, &NamedShape::name) == chosen.end();
  });
  return all;
}

void split_off(ImageJob& job) {
  std::vector<Kernel> kept;
  for (Kernel& kernel : job.kernels)
    if (form_of(kernel, job.options) || job.options.method.form == weights::Form::dense)
      kept.push_back(std::move(kernel));
    else
      job.left.push_back(kernel.name);
  job.kernels = std::move(kept);
}

/// Ranks that the deck gives are no larger than the axes of every kernel.
void check_tucker_ranks(const ImageJob& job) {
  static constexpr std::array axes{"outputs", "inputs", "height", "width"};
  const auto& ranks = job.options.ranks.tucker;
  for (const Kernel& kernel : job.kernels) {
    const std::array lengths{kernel.shape.outputs, kernel.shape.inputs, kernel.shape.height,
                             kernel.shape.width};
    for (std::size_t axis = 0; axis < ranks.size(); ++axis)
      if (kernel.geometry.area() > 1 && ranks[axis] > lengths[axis])
        throw InputError(fmt::format(
            "ranks.tucker = [{}] is above what {} has: its {} are {} (a rank is at most the length "
            "of its axis). Choose at most {}, or leave the layer out of select.weights.",
            fmt::join(ranks, ", "), kernel.name, axes[axis], lengths[axis], lengths[axis]));
  }
}

void check_ratio(const ImageJob& job) {
  const RankOptions& ranks = job.options.ranks;
  if (!ranks.tucker.empty() || ranks.rank_fraction > 0) return;
  std::vector<std::unique_ptr<KernelForm>> forms;
  for (const Kernel& kernel : job.kernels) forms.push_back(form_of(kernel, job.options));
  const double least = smallest_ratio(job.kernels, forms, ranks.multiple_of);
  if (least > ranks.parameter_ratio)
    throw InputError(fmt::format(
        "ranks.parameter_ratio = {} is below what {} can reach for these kernels (at the smallest "
        "ranks they hold {:.4f} of their numbers). Choose at least {:.4f}, or leave layers out of "
        "select.weights.",
        ranks.parameter_ratio, name(job.options.method.form), least, least + 5e-5));
}

void check_data(const ImageJob& job) {
  const CompressOptions& options = job.options;
  const auto need = [&](bool is_there, const char* keyword, const char* why) {
    if (!is_there)
      throw InputError(
          fmt::format("{} is not set ({}). Name the .npy files under [data].", keyword, why));
  };
  const bool trains = options.train.epochs > 0;
  const bool measures = job.replaces_kernels();
  if (trains || measures)
    need(job.data.training.size() > 0, "data.images",
         trains ? "training needs images with labels"
                : "statistics of batch norms and moments of patches are taken from images");
  need(job.data.test.size() > 0, "data.test_images",
       "the network is scored; data.test_split or data.test_fraction would do as well");
}

}  // namespace

std::int64_t ImageJob::kernel_parameters() const {
  std::int64_t sum = 0;
  for (const Kernel& kernel : kernels) sum += kernel.shape.dense_numbers();
  return sum;
}

ImageJob prepare_image_job(const CompressOptions& options) {
  const models::DataOptions& data = options.scoring.data;
  const auto use = models::DataUse::training;
  ImageJob job{
      .options = options,
      .model = models::prepare_image_model(options.scoring.model, models::see_images(data, use)),
      .data = {},
      .kernels = {}};
  if (job.is_cut_study()) job.options.method.form = weights::Form::cut;
  const models::NetworkPlan& plan = job.model.plan;
  job.data = models::read_image_data(data, use,
                                     {.channels = plan.input.channels, .classes = plan.classes});
  job.kernels = selected_kernels(job.model.plan, options.select);
  split_off(job);
  check_data(job);
  if (job.replaces_kernels()) {
    check_tucker_ranks(job);
    check_ratio(job);
  }
  return job;
}

std::vector<std::string> look_into_folders(const ImageJob& job) {
  std::vector<std::string> found;
  for (const auto& [folder, keyword] :
       {std::pair{&job.options.result.directory, "export.directory"},
        {&job.options.scoring.run.directory, "run.directory"}}) {
    if (folder->empty()) continue;
    files::check_folder_writable(*folder, fmt::format("{} = {}", keyword, *folder));
    if (input_exists(*folder))
      found.push_back(fmt::format("{}: there is a folder {} already", keyword, *folder));
  }
  return found;
}

std::string method_line(const ImageJob& job) {
  const CompressOptions& options = job.options;
  if (job.is_cut_study())
    return fmt::format("{}: study of {}", counted(std::ssize(job.kernels), "kernel"),
                       counted(std::ssize(options.sensitivity.cuts), "cut"));
  std::string line =
      fmt::format("{} ({} parameters): {}", counted(std::ssize(job.kernels), "kernel"),
                  job.kernel_parameters(), name(options.method.form));
  if (!job.replaces_kernels()) return line;
  if (options.method.form == weights::Form::cut)
    line += fmt::format(" {}", name_in(weights::kernel_cut_names, options.method.cut));
  line += fmt::format(", weighting {}", name(options.method.weighting));
  const RankOptions& ranks = options.ranks;
  if (!ranks.tucker.empty())
    return line + fmt::format(", ranks {}", fmt::join(ranks.tucker, " x "));
  if (ranks.rank_fraction > 0) return line + fmt::format(", {} of each rank", ranks.rank_fraction);
  return line + fmt::format(", {} ranks, ratio {}", name(ranks.allocation), ranks.parameter_ratio);
}

namespace {

/// What a backward pass keeps of a batch, and what calibration keeps of its images.
double activation_numbers(const ImageJob& job) {
  double sum = 0, largest = 0;
  job.model.plan.for_each([&](const LayerPlan& layer) {
    const auto numbers = static_cast<double>(layer.outputs.size());
    sum += numbers;
    largest = std::max(largest, numbers);
  });
  const auto& options = job.options;
  const double trained =
      options.train.epochs > 0 ? 2 * sum * static_cast<double>(options.train.batch_size) : 0;
  // Calibration holds one border of all its images.
  const std::int64_t images =
      options.calibration.images > 0 ? options.calibration.images : job.data.training.size();
  const double border =
      2 * largest * static_cast<double>(std::min(images, job.data.training.size()));
  return std::max(trained, job.replaces_kernels() ? border : 0);
}

/// Of the singular vectors of all kernels that a study of cuts keeps, one cut at a time.
double decomposition_bytes(const ImageJob& job) {
  double most = 0;
  for (const weights::KernelCut cut : job.options.sensitivity.cuts) {
    double sum = 0;
    for (const Kernel& kernel : job.kernels) {
      const weights::MatrixShape matrix = weights::cut_shape(cut, kernel.shape);
      sum += 8 * static_cast<double>(matrix.full_rank() * (matrix.rows + matrix.columns));
    }
    most = std::max(most, sum);
  }
  return most;
}

/// While owners take their kernels' moments those of own images are given up; a fit holds copies
/// and projections of one moment.
double moment_bytes(const ImageJob& job) {
  if (!job.options.method.needs_inputs() || !job.replaces_kernels()) return 0;
  constexpr double copies_in_a_fit = 16;
  double sum = 0, largest = 0;
  for (const Kernel& kernel : job.kernels) {
    const auto columns = static_cast<double>(kernel.shape.columns());
    sum += 8 * columns * columns;
    largest = std::max(largest, 8 * columns * columns);
  }
  return sum + copies_in_a_fit * largest;
}

}  // namespace

models::ImageMemoryPlan plan_memory(const ImageJob& job, const run::Machine& machine) {
  const CompressOptions& options = job.options;
  models::ImageMemoryPlan plan =
      models::plan_memory({options.scoring, job.model, job.data}, machine);
  const double optimiser = options.train.epochs > 0 ? 3 * plan.weights : 0;
  // Of the network, and of what it becomes.
  plan.weights = 2 * plan.weights + optimiser + decomposition_bytes(job);
  plan.activations = std::max(plan.activations, models::bytes_of(options.scoring.model.precision) *
                                                    activation_numbers(job));
  plan.moments = moment_bytes(job);
  return plan;
}

}  // namespace rankine::compress
