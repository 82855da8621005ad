#include "compress/stages/calibration_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "compress/allocation/depth_bias.hpp"
#include "compress/calibration/partial_moments.hpp"
#include "compress/calibration/token_moments.hpp"
#include "compress/job/stages.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "run/cadence.hpp"
#include "run/state_series.hpp"
#include "weights/rows/row_exchange.hpp"

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

/// Of a measurement that is under way.
struct RoundNotes {
  std::int64_t rounds = 0;  ///< done
  int teams = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RoundNotes, rounds, teams)

/// Keeps a measurement now and then, and before it is stopped.
class KeptMeasurement {
 public:
  /// Nothing is kept before `first` rounds are done.
  KeptMeasurement(const Workbench& bench, const run::Stage& stage, std::int64_t first,
                  std::int64_t rounds)
      : bench_(bench),
        first_(first),
        rounds_(rounds),
        series_(bench.stages, stage, bench.control.options.keep),
        cadence_(bench.control.options.checkpoint_interval) {}

  MeasurementCheckpoint checkpoint() {
    return {.restore = [this](PartialMoments& state) { restore(state); },
            .keep = [this](const PartialMoments& state) { keep(state); }};
  }
  /// The whole is kept as a stage.
  void clear() { series_.clear(); }

 private:
  void restore(PartialMoments& state) {
    const auto notes = series_.restore<RoundNotes>(
        [&](const std::filesystem::path& folder, const RoundNotes& kept) {
          if (kept.teams != bench_.teams.count() || kept.rounds < first_ || kept.rounds > rounds_)
            throw InputError(fmt::format("it is that of {}", counted(kept.teams, "team")));
          read_partial(state, bench_.world, bench_.teams, folder);
        });
    if (!notes) return;
    state.rounds = notes->rounds;
    log().info("the measurement goes on after round {} of {}", state.rounds, rounds_);
  }

  void keep(const PartialMoments& state) {
    const std::string reason = bench_.control.stop.reason(bench_.world);
    const bool is_wanted = bench_.stages.is_wanted() && state.rounds >= first_ &&
                           (!reason.empty() || cadence_.is_due(bench_.world));
    if (is_wanted) cadence_.while_writing([&] { write(state); });
    if (!reason.empty()) throw known_to_all(bench_.world.size(), Stopped(reason));
  }

  void write(const PartialMoments& state) {
    series_.add(RoundNotes{state.rounds, bench_.teams.count()},
                [&](const std::filesystem::path& folder) {
                  write_partial(state, bench_.world, bench_.teams, folder);
                });
  }

  const Workbench& bench_;
  std::int64_t first_;
  std::int64_t rounds_;
  run::StateSeries series_;
  run::Cadence cadence_;
};

/// Rounds in which the teams take so many windows.
std::int64_t rounds_of(const Workbench& bench, const TokenWindows& windows) {
  return (std::ssize(windows) + bench.teams.count() - 1) / bench.teams.count();
}

/// The sums of all teams become those of the first, in the type they are kept in: a run that takes
/// them from run.directory has the very same numbers. Collective over the world.
void collect_on_first_team(const Workbench& bench, std::vector<SecondMoment>& moments) {
  if (bench.teams.count() == 1) return;
  const bool is_first = bench.teams.index() == 0;
  for (SecondMoment& moment : moments) {
    const weights::Parameter own = moment.own_rows("");
    const weights::RowRange held{own.first_row, own.values.size(0)};
    const torch::Tensor sum = weights::exchange_rows(bench.world, own.values.to(torch::kFloat64),
                                                     held, {held.first, is_first ? held.count : 0});
    moment.set_own_rows(is_first ? sum : torch::zeros_like(own.values));
  }
}

InputWeighting input_weighting(Weighting weighting) {
  if (weighting == Weighting::none) return InputWeighting::none;
  return weighting == Weighting::diagonal ? InputWeighting::diagonal : InputWeighting::full;
}

using MomentShapes = std::vector<MomentShape>;

/// The shape of each moment; nothing if notes of the inputs do not fit the selected weights.
std::optional<MomentShapes> input_shapes(const Workbench& bench, const InputNotes& notes,
                                         MomentPart part) {
  const auto& selected = bench.job.selected;
  if (notes.of_weight.size() != selected.size() || notes.count > selected.size())
    return std::nullopt;
  MomentShapes shapes(notes.count, {.size = 0, .part = part});
  for (std::size_t w = 0; w < selected.size(); ++w) {
    if (notes.of_weight[w] >= shapes.size()) return std::nullopt;
    std::int64_t& size = shapes[notes.of_weight[w]].size;
    if (size != 0 && size != selected[w].shape.columns) return std::nullopt;
    size = selected[w].shape.columns;
  }
  const bool all_used = std::ranges::find(shapes, 0, &MomentShape::size) == shapes.end();
  return all_used ? std::optional(shapes) : std::nullopt;
}

/// Moments of these shapes from an earlier run; sums are kept as `type`. Collective over the world.
std::vector<SecondMoment> kept_moments(const Workbench& bench, const run::Stage& stage,
                                       const MomentShapes& shapes, torch::ScalarType type) {
  return bench.stages.read_tensors(stage, [&](const std::filesystem::path& folder) {
    return read_moments(shapes, type, bench.world, bench.teams, folder);
  });
}

/// Whether an embedding is selected that is not the output weight too: the last of all.
bool has_embedding(const Workbench& bench) {
  return !bench.job.selected.empty() && bench.job.selected.back().part == models::Part::embedding;
}

/// Of the weights whose inputs are activations.
std::vector<std::string> observed_names(const Workbench& bench) {
  std::vector<std::string> names = bench.names;
  if (has_embedding(bench)) names.pop_back();
  return names;
}

/// Rows of an embedding are looked up: every column counts alike.
void add_embedding_inputs(const Workbench& bench, MomentPart part, InputMoments& found) {
  const std::int64_t width = bench.job.selected.back().shape.columns;
  SecondMoment unit(bench.teams.team(), width, torch::kFloat64, part);
  const weights::Parameter own = unit.own_rows("");
  const std::int64_t count = own.values.size(0);
  if (bench.teams.index() == 0)
    unit.set_own_rows(part == MomentPart::diagonal
                          ? torch::ones({count, 1}, torch::kFloat64)
                          : torch::eye(width, torch::kFloat64).narrow(0, own.first_row, count));
  found.of_weight.push_back(found.moments.size());
  found.moments.push_back(std::move(unit));
}

/// How often the gradient windows read each row of the embedding.
SecondMoment embedding_counts(const Workbench& bench, torch::ScalarType type) {
  SecondMoment counts(bench.teams.team(), bench.job.selected.back().shape.rows, type,
                      MomentPart::diagonal);
  if (bench.teams.index() > 0) return counts;
  torch::Tensor all = torch::zeros({counts.size()}, torch::kFloat64);
  double* const values = all.data_ptr<double>();
  for (const auto& ids : bench.job.gradient_windows)
    for (const std::int64_t id : ids) ++values[id];
  const weights::Parameter own = counts.own_rows("");
  counts.set_own_rows(all.narrow(0, own.first_row, own.values.size(0)).unsqueeze(1));
  return counts;
}

MomentPart part_of(bool is_whole) { return is_whole ? MomentPart::whole : MomentPart::diagonal; }

void add_inputs(Workbench& bench, InputMoments& found) {
  const MomentPart part = part_of(bench.options.method.needs_whole_inputs());
  const run::Stage stage = inputs_stage(bench.job);
  auto known = bench.stages.restore<InputNotes>(stage, [&](const InputNotes& notes) {
    const auto shapes = input_shapes(bench, notes, part);
    if (!shapes) throw InputError("its moments are not those of the selected weights");
    return InputMoments{notes.of_weight, kept_moments(bench, stage, *shapes, torch::kFloat64)};
  });
  if (known) {
    found = std::move(*known);
    log().info("input moments taken from run.directory");
    return;
  }
  // In the first stage activations are still ids.
  const std::int64_t rounds = rounds_of(bench, bench.job.calibration_windows);
  KeptMeasurement kept(bench, stage, rounds, rounds * std::ssize(bench.model.stages()));
  double& seconds = bench.result.seconds.inputs;
  bench.timed("calibration", seconds, [&] {
    found = measure_inputs(bench.model, bench.world, bench.teams, observed_names(bench),
                           models::token_batches(bench.job.calibration_windows), part,
                           kept.checkpoint());
  });
  if (has_embedding(bench)) add_embedding_inputs(bench, part, found);
  collect_on_first_team(bench, found.moments);
  log().info("input moments of {} measured in {}",
             counted(std::ssize(bench.job.calibration_windows), "window"),
             format_duration(seconds));
  if (!bench.stages.is_wanted()) return;
  write_moments(found.moments, bench.world, bench.stages.folder(stage));
  bench.stages.complete(stage, InputNotes{found.of_weight, found.moments.size()},
                        run::Holds::tensors);
  kept.clear();
}

/// Of the model's numbers.
torch::ScalarType number_type(const Workbench& bench) {
  const bool is_double = bench.options.scoring.model.precision == models::Precision::float64;
  return is_double ? torch::kFloat64 : torch::kFloat32;
}

using Measure = std::function<std::vector<SecondMoment>(const MeasurementCheckpoint&)>;

/// Moments of these shapes on the gradient windows, from an earlier run or by `measure`. Collective
/// over the world.
std::vector<SecondMoment> on_gradient_windows(Workbench& bench, const run::Stage& stage,
                                              const MomentShapes& shapes, const char* what,
                                              double& seconds, const Measure& measure) {
  auto known = bench.stages.restore<GradientNotes>(stage, [&](const GradientNotes& notes) {
    if (notes.count != shapes.size())
      throw InputError("its moments are not those of the selected weights");
    return kept_moments(bench, stage, shapes, number_type(bench));
  });
  if (known) {
    log().info("{} taken from run.directory", what);
    return std::move(*known);
  }
  KeptMeasurement kept(bench, stage, 1, rounds_of(bench, bench.job.gradient_windows));
  std::vector<SecondMoment> found;
  bench.timed("calibration", seconds, [&] { found = measure(kept.checkpoint()); });
  collect_on_first_team(bench, found);
  log().info("{} of {} measured in {}", what,
             counted(std::ssize(bench.job.gradient_windows), "window"), format_duration(seconds));
  if (!bench.stages.is_wanted()) return found;
  write_moments(found, bench.world, bench.stages.folder(stage));
  bench.stages.complete(stage, GradientNotes{found.size()}, run::Holds::tensors);
  kept.clear();
  return found;
}

void add_gradients(Workbench& bench, std::vector<SecondMoment>& found) {
  const MomentPart part = part_of(bench.options.method.needs_whole_gradients());
  MomentShapes shapes;
  for (const NamedShape& weight : bench.job.selected)
    shapes.push_back({weight.shape.rows, gradient_part(bench.model, weight.name, part)});
  const auto measure = [&](const MeasurementCheckpoint& checkpoint) {
    auto moments =
        measure_output_gradients(bench.model, bench.world, bench.teams, observed_names(bench),
                                 models::token_batches(bench.job.gradient_windows),
                                 bench.options.calibration.gradients, part, checkpoint);
    if (has_embedding(bench)) moments.push_back(embedding_counts(bench, number_type(bench)));
    return moments;
  };
  found = on_gradient_windows(bench, gradients_stage(bench.job), shapes, "output gradients",
                              bench.result.seconds.gradients, measure);
}

void add_token_moments(Workbench& bench, ErrorNorm& norm) {
  norm.groups = bench.options.calibration.gradient_groups;
  MomentShapes shapes;
  for (const NamedShape& weight : bench.job.selected)
    shapes.insert(shapes.end(), static_cast<std::size_t>(norm.groups), {weight.shape.columns});
  norm.token_moments = on_gradient_windows(
      bench, token_moments_stage(bench.job), shapes, "weighted input moments",
      bench.result.seconds.inputs, [&](const MeasurementCheckpoint& checkpoint) {
        return measure_token_moments(bench.model, bench.world, bench.teams, bench.names,
                                     models::token_batches(bench.job.gradient_windows),
                                     bench.options.calibration.gradients, norm.groups, checkpoint);
      });
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
  finite_means(bench, norm.token_moments, [&](std::size_t i) {
    return "weighted inputs of " + bench.names[i / static_cast<std::size_t>(norm.groups)];
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

/// Errors in early layers count more.
void count_depth(const Workbench& bench, std::vector<double>& error_weights) {
  const RankOptions& ranks = bench.options.ranks;
  if (ranks.depth_bias == 0) return;
  error_weights.resize(bench.names.size(), 1);
  const std::vector<double> factors =
      depth_factors(bench.job.scoring.config.layers, ranks.depth_bias, ranks.depth_bias_decay);
  for (std::size_t w = 0; w < error_weights.size(); ++w)
    error_weights[w] *= factors[static_cast<std::size_t>(bench.job.selected[w].layer)];
}

}  // namespace

ErrorNorm measure_error_norm(Workbench& bench) {
  const MethodOptions& method = bench.options.method;
  ErrorNorm norm{.inputs = input_weighting(method.weighting),
                 .ridge = bench.options.calibration.ridge,
                 .input_ridge = bench.options.calibration.input_ridge};
  if (bench.options.needs_token_moments())
    add_token_moments(bench, norm);
  else if (bench.job.measures_inputs())
    add_inputs(bench, norm.input_moments);
  if (bench.options.needs_gradients()) add_gradients(bench, norm.output_moments);
  require_usable(bench, norm);
  if (bench.options.ranks.error_weights == ErrorWeights::output_gradient) {
    for (const SecondMoment& moment : norm.output_moments)
      norm.error_weights.push_back(moment.mean_diagonal(bench.world));
    norm.output_moments.clear();
  }
  count_depth(bench, norm.error_weights);
  return norm;
}

}  // namespace rankine::compress
