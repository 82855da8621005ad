#include "compress/stages/calibration_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

namespace {

struct InputNotes {
  std::vector<std::size_t> of_weight;  ///< its moment
  std::size_t count = 0;               ///< of moments
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(InputNotes, of_weight, count)

struct GradientNotes {
  std::size_t count = 0;  ///< of moments
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GradientNotes, count)

InputWeighting input_weighting(Weighting weighting) {
  if (weighting == Weighting::none) return InputWeighting::none;
  return weighting == Weighting::diagonal ? InputWeighting::diagonal : InputWeighting::full;
}

/// The size of each moment; nothing if notes of the inputs do not fit the selected weights.
std::optional<std::vector<std::int64_t>> input_sizes(const Workbench& bench,
                                                     const InputNotes& notes) {
  const auto& selected = bench.job.selected;
  if (notes.of_weight.size() != selected.size() || notes.count > selected.size())
    return std::nullopt;
  std::vector<std::int64_t> sizes(notes.count, 0);
  for (std::size_t w = 0; w < selected.size(); ++w) {
    if (notes.of_weight[w] >= sizes.size()) return std::nullopt;
    std::int64_t& size = sizes[notes.of_weight[w]];
    if (size != 0 && size != selected[w].shape.columns) return std::nullopt;
    size = selected[w].shape.columns;
  }
  const bool all_used = std::ranges::find(sizes, 0) == sizes.end();
  return all_used ? std::optional(sizes) : std::nullopt;
}

/// Moments of these sizes from the checkpoint; sums are kept as `type`. Collective over the world.
std::vector<SecondMoment> kept_moments(const Workbench& bench, const run::Stage& stage,
                                       const std::vector<std::int64_t>& sizes,
                                       torch::ScalarType type, MomentPart part) {
  return bench.stages.read_tensors(stage, [&](const std::filesystem::path& folder) {
    return read_moments(sizes, type, part, bench.world, bench.teams, folder);
  });
}

MomentPart part_of(bool is_whole) { return is_whole ? MomentPart::whole : MomentPart::diagonal; }

void add_inputs(Workbench& bench, InputMoments& found) {
  const MomentPart part = part_of(bench.options.method.needs_whole_inputs());
  const run::Stage stage = inputs_stage(bench.job);
  if (const auto notes = bench.stages.find<InputNotes>(stage)) {
    const auto sizes = input_sizes(bench, *notes);
    if (!sizes) bench.stages.refuse(stage, "its moments are not those of the selected weights");
    found.of_weight = notes->of_weight;
    found.moments = kept_moments(bench, stage, *sizes, torch::kFloat64, part);
    log().info("input moments taken from the checkpoint");
    return;
  }
  double& seconds = bench.result.seconds.inputs;
  bench.timed(seconds, [&] {
    found = measure_inputs(bench.model, bench.world, bench.teams, bench.names,
                           models::token_batches(bench.job.calibration_windows), part);
  });
  log().info("input moments of {} measured in {}",
             counted(std::ssize(bench.job.calibration_windows), "window"),
             format_duration(seconds));
  if (!bench.stages.is_wanted()) return;
  write_moments(found.moments, bench.world, bench.stages.folder(stage));
  bench.stages.complete(stage, InputNotes{found.of_weight, found.moments.size()},
                        run::Holds::tensors);
}

void add_gradients(Workbench& bench, std::vector<SecondMoment>& found) {
  const MomentPart part = part_of(bench.options.method.needs_whole_gradients());
  const run::Stage stage = gradients_stage(bench.job);
  if (const auto notes = bench.stages.find<GradientNotes>(stage)) {
    std::vector<std::int64_t> sizes;
    for (const NamedShape& weight : bench.job.selected) sizes.push_back(weight.shape.rows);
    if (notes->count != sizes.size())
      bench.stages.refuse(stage, "its moments are not those of the selected weights");
    found = kept_moments(bench, stage, sizes,
                         weight_of(bench.model, bench.names[0])->own_rows().scalar_type(), part);
    log().info("output gradients taken from the checkpoint");
    return;
  }
  double& seconds = bench.result.seconds.gradients;
  bench.timed(seconds, [&] {
    found = measure_output_gradients(bench.model, bench.world, bench.teams, bench.names,
                                     models::token_batches(bench.job.gradient_windows),
                                     bench.options.calibration.gradient_targets, part);
  });
  log().info("output gradients of {} measured in {}",
             counted(std::ssize(bench.job.gradient_windows), "window"), format_duration(seconds));
  if (!bench.stages.is_wanted()) return;
  write_moments(found, bench.world, bench.stages.folder(stage));
  bench.stages.complete(stage, GradientNotes{found.size()}, run::Holds::tensors);
}

/// Mean diagonals; each is that of a moment that is finite. Collective over the world.
std::vector<double> finite_means(const Workbench& bench, const std::vector<SecondMoment>& moments,
                                 const std::function<std::string(std::size_t)>& name) {
  std::vector<double> means;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    means.push_back(moments[i].mean_diagonal(bench.world));
    if (std::isfinite(means[i])) continue;
    throw known_to_all(
        bench.world.size(),
        NumericalError(fmt::format("the {} are not finite (the model overflows on the calibration "
                                   "text). Try model.precision = \"float64\".",
                                   name(i))));
  }
  return means;
}

/// Throws NumericalError on all ranks for moments that say nothing. Collective over the world.
void require_usable(const Workbench& bench, const ErrorNorm& norm) {
  const auto has_all_zeros = [](const std::vector<double>& means) {
    return !means.empty() && std::ranges::all_of(means, [](double mean) { return mean == 0; });
  };
  const InputMoments& inputs = norm.input_moments;
  finite_means(bench, inputs.moments, [&](std::size_t i) {
    const auto first = std::ranges::find(inputs.of_weight, i) - inputs.of_weight.begin();
    return "inputs of " + bench.names[static_cast<std::size_t>(first)];
  });
  if (has_all_zeros(finite_means(bench, norm.output_moments, [&](std::size_t i) {
        return "output gradients of " + bench.names[i];
      })))
    throw known_to_all(
        bench.world.size(),
        NumericalError("the output gradients of all selected weights are zero (the model is "
                       "certain of every token of the calibration text). Take another text, or "
                       "method.weighting = \"full\"."));
}

}  // namespace

ErrorNorm measure_error_norm(Workbench& bench) {
  const MethodOptions& method = bench.options.method;
  ErrorNorm norm{.inputs = input_weighting(method.weighting),
                 .ridge = bench.options.calibration.ridge};
  if (method.needs_inputs()) add_inputs(bench, norm.input_moments);
  if (bench.options.needs_gradients()) add_gradients(bench, norm.output_moments);
  require_usable(bench, norm);
  if (bench.options.ranks.error_weights == ErrorWeights::output_gradient) {
    for (const SecondMoment& moment : norm.output_moments)
      norm.error_weights.push_back(moment.mean_diagonal(bench.world));
    norm.output_moments.clear();
  }
  return norm;
}

}  // namespace rankine::compress
