#include "compress/calibration.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

namespace {

struct InputNotes {
  std::vector<std::size_t> of_weight;  ///< its moment
  std::size_t count = 0;               ///< of moments
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(InputNotes, of_weight, count)

InputWeighting input_weighting(const std::string& weighting) {
  if (weighting == "none") return InputWeighting::none;
  return weighting == "diagonal" ? InputWeighting::diagonal : InputWeighting::full;
}

Stage stage_of(const Workbench& bench, const char* name, const TokenWindows& windows) {
  Fingerprint print = bench.of_model;
  for (const auto& window : windows) print.add(window);
  return {name, print.value()};
}

void add_inputs(Workbench& bench, InputMoments& found) {
  const Stage stage = stage_of(bench, "inputs", bench.job.calibration_windows);
  if (const auto notes = bench.checkpoint.find<InputNotes>(stage)) {
    const auto is_one = [&](std::size_t moment) { return moment < notes->count; };
    if (notes->of_weight.size() != bench.names.size() ||
        !std::ranges::all_of(notes->of_weight, is_one))
      bench.checkpoint.refuse(stage, "its moments are not those of the selected weights");
    found.of_weight = notes->of_weight;
    found.moments = read_moments(notes->count, torch::kFloat64, bench.world, bench.teams,
                                 bench.checkpoint.folder(stage));
    log().info("input moments taken from the checkpoint");
    return;
  }
  double& seconds = bench.result.seconds.inputs;
  bench.timed(seconds, [&] {
    found = measure_inputs(bench.model, bench.world, bench.teams, bench.names,
                           bench.job.calibration_windows);
  });
  log().info("input moments of {} measured in {}",
             counted(std::ssize(bench.job.calibration_windows), "window"),
             format_duration(seconds));
  if (!bench.checkpoint.is_wanted()) return;
  write_moments(found.moments, bench.world, bench.checkpoint.folder(stage));
  bench.checkpoint.complete(stage, InputNotes{found.of_weight, found.moments.size()});
}

void add_gradients(Workbench& bench, std::vector<SecondMoment>& found) {
  const bool is_sampled = bench.options.calibration.gradient_targets == "sampled";
  const Stage stage =
      stage_of(bench, is_sampled ? "sampled-gradients" : "gradients", bench.job.gradient_windows);
  if (bench.checkpoint.find<nlohmann::json>(stage)) {
    found = read_moments(bench.names.size(), torch::kFloat32, bench.world, bench.teams,
                         bench.checkpoint.folder(stage));
    log().info("output gradients taken from the checkpoint");
    return;
  }
  double& seconds = bench.result.seconds.gradients;
  bench.timed(seconds, [&] {
    found = measure_output_gradients(bench.model, bench.world, bench.teams, bench.names,
                                     bench.job.gradient_windows,
                                     is_sampled ? Targets::sampled : Targets::text);
  });
  log().info("output gradients of {} measured in {}",
             counted(std::ssize(bench.job.gradient_windows), "window"), format_duration(seconds));
  if (!bench.checkpoint.is_wanted()) return;
  write_moments(found, bench.world, bench.checkpoint.folder(stage));
  bench.checkpoint.complete(stage, {{"count", found.size()}});
}

}  // namespace

ErrorNorm measure_error_norm(Workbench& bench) {
  const MethodOptions& method = bench.options.method;
  ErrorNorm norm{.inputs = input_weighting(method.weighting),
                 .ridge = bench.options.calibration.ridge};
  if (method.needs_inputs()) add_inputs(bench, norm.input_moments);
  if (bench.options.needs_gradients()) add_gradients(bench, norm.output_moments);
  if (bench.options.ranks.error_weights == "output-gradient") {
    for (const SecondMoment& moment : norm.output_moments)
      norm.error_weights.push_back(moment.mean_diagonal(bench.world));
    norm.output_moments.clear();
  }
  return norm;
}

}  // namespace rankine::compress
