#include "compress/job/cost.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "compress/decomposition/decomposition_plan.hpp"
#include "compress/job/adapter_plan.hpp"
#include "compress/job/forecast.hpp"
#include "compress/job/shared_values.hpp"
#include "compress/job/unit_count.hpp"
#include "models/evaluation/cost.hpp"
#include "weights/making/value_histogram.hpp"

namespace rankine::compress {

using models::Pass;
using models::rounds;
using run::Numbers;
using run::Pace;
using run::StageCost;
using weights::SizedBy;

namespace {

/// Of libtorch for each weight in a step: its blocks from their numbers and back, AdamW, checks.
constexpr double operations_of_adapter = 260;

/// Where the work of a job is done.
struct Layout {
  Numbers numbers;
  int teams;
  int ranks;  ///< of a team

  Layout(const CompressionJob& job, const Pace& pace)
      : numbers(models::numbers_of(job.options.scoring.model.precision)),
        teams(static_cast<int>(
            std::min<std::int64_t>(job.options.scoring.parallel.teams, pace.where().ranks))),
        ranks(pace.where().ranks / teams) {}
};

models::WindowPass window_of(const CompressionJob& job, const Layout& layout) {
  return {job.scoring.config, layout.numbers, layout.ranks};
}

/// Sums of x x^T of one window, in float64, by half.
StageCost cost_of_moment(double n, bool is_whole, double tokens, const Layout& layout,
                         const Pace& pace) {
  if (!is_whole)
    return {.seconds = pace.memory(12 * tokens * n / layout.ranks) + pace.operations(6),
            .flops = 2 * tokens * n};
  const double flops = tokens * n * n;
  return {.seconds = pace.product(flops / layout.ranks, std::min(128.0, std::min(n, tokens)),
                                  layout.numbers) +
                     pace.memory(10 * n * n / layout.ranks) + pace.operations(2),
          .flops = flops};
}

/// Sums of all teams, given to the first.
StageCost cost_of_collecting(double numbers, const Layout& layout, const Pace& pace) {
  if (layout.teams == 1) return {};
  const double bytes = 8 * numbers / layout.ranks;
  return {.seconds = layout.teams * (pace.message(bytes, pace.where().ranks) + pace.memory(bytes)),
          .bytes = bytes,
          .messages = 1};
}

/// Windows pass the layers as far as a weight is selected; four activations are read in each.
double layers_passed(const CompressionJob& job) {
  constexpr std::int64_t of_layer = 4;
  const std::int64_t last = job.selected.empty() ? -1 : job.selected.back().input;
  const std::int64_t layers = job.scoring.config.layers;
  return static_cast<double>(last < 0 ? layers : std::min(layers, last / of_layer + 1));
}

StageCost cost_of_inputs(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "moments of inputs"};
  if (!job.measures_inputs()) return all;
  const auto tokens = static_cast<double>(job.options.calibration.window_length);
  const double turns = rounds(static_cast<double>(job.options.calibration.windows), layout.teams);
  all +=
      window_of(job, layout).layer(tokens, Pass::forward, pace).times(turns * layers_passed(job));
  std::set<std::int64_t> seen;
  double numbers = 0;
  for (const NamedShape& weight : job.selected) {
    if (!seen.insert(weight.input).second) continue;
    const auto n = static_cast<double>(weight.shape.columns);
    const bool is_whole = job.options.method.needs_whole_inputs();
    all += cost_of_moment(n, is_whole, tokens, layout, pace).times(turns);
    numbers += is_whole ? n * n : n;
  }
  all.flops *= layout.teams;
  all += cost_of_collecting(numbers, layout, pace);
  return all;
}

StageCost cost_of_gradients(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "moments of output gradients"};
  if (!job.options.needs_gradients()) return all;
  const auto tokens = static_cast<double>(job.options.calibration.gradient_window_length);
  const double turns =
      rounds(static_cast<double>(job.options.calibration.gradient_windows), layout.teams);
  all += window_of(job, layout).cost(tokens, Pass::gradients, pace).times(turns);
  double numbers = 0;
  for (const NamedShape& weight : job.selected) {
    const auto m = static_cast<double>(weight.shape.rows);
    const bool is_whole = job.options.method.needs_whole_gradients() && !weight.is_of_vocabulary();
    all += cost_of_moment(m, is_whole, tokens, layout, pace).times(turns);
    numbers += is_whole ? m * m : m;
    const double bytes = run::bytes_of(layout.numbers) * tokens * m;
    if (layout.ranks > 1) all.seconds += turns * pace.gather(bytes, layout.ranks);
  }
  all.flops *= layout.teams;
  all += cost_of_collecting(numbers, layout, pace);
  return all;
}

/// Bytes that bring a group's weights and moments to the rank that decomposes them, and the
/// components back.
double moved_bytes(const GroupShape& group) {
  double numbers = static_cast<double>(group.input_numbers);
  for (const std::int64_t rows : group.rows) {
    const auto m = static_cast<double>(rows), n = static_cast<double>(group.columns);
    numbers += m * n + (group.is_two_sided ? m * m : 0) + (m + n) * std::min(m, n) / 2;
  }
  return 8 * numbers;
}

double typical_size(const GroupShape& group) {
  std::int64_t largest = 1;
  for (const std::int64_t rows : group.rows)
    largest = std::max(largest, std::min(rows, group.columns));
  return static_cast<double>(largest);
}

/// Single precision takes a Gram matrix and its eigenvectors where double takes an SVD.
double seconds_of_group(const GroupShape& group, Numbers numbers, const Pace& pace) {
  double seconds = 0;
  const auto n = static_cast<double>(group.columns);
  const auto inputs = static_cast<double>(group.input_numbers);
  if (numbers == Numbers::float64)
    seconds += pace.svd_operations(cost_of(group), typical_size(group));
  for (const std::int64_t rows : group.rows) {
    const auto m = static_cast<double>(rows);
    const double k = std::min(m, n);
    double flops = 2 * m * n * (k + std::min(m, n));
    if (inputs > n) flops += 2 * n * n * k;
    if (group.is_two_sided) flops += 4 * m * m * n + m * m * m / 3;
    if (numbers == Numbers::float64) {
      seconds += pace.product(flops, k, numbers);
      continue;
    }
    if (m > n) flops += 4 * m * n * n;
    seconds += pace.eigen(k) + pace.product(flops, k, Numbers::float64) + pace.memory(60 * m * n);
  }
  return seconds + pace.operations(60.0 * static_cast<double>(group.rows.size()));
}

/// Products of the rows that each rank has with n x n numbers, and the components of these.
StageCost cost_of_row_decomposition(const NamedShape& weight, const Layout& layout,
                                    const Pace& pace) {
  const auto numbers = static_cast<double>(weight.shape.dense_numbers());
  const auto n = static_cast<double>(weight.shape.columns);
  const double flops = 4 * numbers * n;
  return {.seconds = pace.product(flops / layout.ranks, n, Numbers::float64) +
                     pace.memory(32 * numbers / layout.ranks) +
                     pace.svd_operations(12 * n * n * n, n) + pace.eigen(n),
          .flops = flops};
}

StageCost cost_of_components(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "decompositions"};
  const std::vector<GroupShape> groups = decomposition_groups(job);
  const int ranks = pace.where().ranks;
  const DecompositionPlan plan =
      plan_decomposition(groups, {.ranks = ranks, .threads = pace.where().threads, .bytes = 0});
  std::vector<double> whole;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double seconds = seconds_of_group(groups[g], layout.numbers, pace);
    all.flops += cost_of(groups[g]);
    if (ranks > 1) {
      all.bytes += moved_bytes(groups[g]) / ranks;
      all.messages += 2;
      all.seconds += pace.message(moved_bytes(groups[g]) / ranks, ranks) * 2;
    }
    if (plan.placements[g] == Placement::one_rank) {
      whole.push_back(seconds);
      continue;
    }
    const double columns = 2 * typical_size(groups[g]);  // steps of a distributed reduction
    all.seconds += seconds / ranks + columns * 4 * pace.sum(8, ranks);
  }
  all.seconds += run::dealt(std::move(whole), ranks);
  for (const NamedShape& weight : job.selected)
    if (weight.is_of_vocabulary()) all += cost_of_row_decomposition(weight, layout, pace);
  return all;
}

/// Of weights that are dealt to the ranks whole: all of them, or in order, where those that read
/// one activation are made before the next ones.
double seconds_of_dealt(const CompressionJob& job, std::vector<double> seconds, const Pace& pace) {
  const int ranks = pace.where().ranks;
  if (!job.options.fit.is_sequential()) return run::dealt(std::move(seconds), ranks);
  std::map<std::int64_t, std::vector<double>> groups;
  for (std::size_t w = 0; w < seconds.size(); ++w)
    groups[job.selected[w].input].push_back(seconds[w]);
  double sum = 0;
  for (auto& [input, group] : groups) sum += run::dealt(std::move(group), ranks);
  return sum;
}

/// K-means of every book, then rounds: four sweeps over the columns, each with the moments once,
/// and the best values, for which rows of the moment are summed by code. Where rows count together
/// an entry that changes moves the others of its column.
StageCost cost_of_books(const NamedShape& weight, const MethodOptions& method, double clusters,
                        const Pace& pace) {
  const MatrixShape& shape = weight.shape;
  const bool is_coupled = method.needs_whole_gradients() && !weight.is_of_vocabulary();
  const auto entries = static_cast<double>(shape.dense_numbers()),
             rounds = static_cast<double>(method.rounds);
  const bool is_done_twice = method.outliers_of(shape.dense_numbers()) > 0 &&
                             method.outlier_choice == weights::OutlierChoice::error;
  const auto coupled = static_cast<double>(shape.columns + (is_coupled ? shape.rows : 0));
  const double product = 2 * entries * coupled;
  return {.seconds =
              pace.scalars((is_done_twice ? 2 : 1) * entries * (12 + 4 * clusters)) +
              rounds * (pace.product(5 * product, 128, Numbers::float32) +
                        pace.memory(4 * entries * coupled) + pace.scalars(entries * clusters / 4)) +
              pace.product(2 * product, 128, Numbers::float64),
          .flops = (5 * rounds + 2) * product};
}

StageCost cost_of_codebooks(const CompressionJob& job, const Pace& pace) {
  const MethodOptions& method = job.options.method;
  StageCost all{.stage = "codebooks"};
  std::vector<double> seconds;
  for (const NamedShape& weight : job.selected) {
    all += cost_of_books(weight, method, static_cast<double>(method.clusters), pace);
    seconds.push_back(std::exchange(all.seconds, 0));
  }
  all.seconds = seconds_of_dealt(job, std::move(seconds), pace);
  return all;
}

/// Of one round for each number of shared values that a weight may get.
StageCost cost_of_value_errors(const CompressionJob& job, const Pace& pace) {
  StageCost all{.stage = "errors of codebooks"};
  if (!job.options.allocates_values()) return all;
  MethodOptions once = job.options.method;
  once.rounds = 1;
  std::vector<double> seconds;
  for (const NamedShape& weight : job.selected) {
    for (int bits = 1; bits <= most_code_bits(once); ++bits)
      all += cost_of_books(weight, once, std::exp2(bits), pace);
    seconds.push_back(std::exchange(all.seconds, 0));
  }
  all.seconds = run::dealt(std::move(seconds), pace.where().ranks);
  return all;
}

/// Sorting the entries of each rank, and the dynamic programme over distinct values.
StageCost cost_of_clusters(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "shared values"};
  for (const NamedShape& weight : job.selected) {
    const auto entries = static_cast<double>(weight.shape.dense_numbers());
    const double values = std::min(entries, static_cast<double>(weights::most_distinct_values));
    const auto clusters = static_cast<double>(job.options.method.clusters);
    all.seconds +=
        pace.scalars(entries / layout.ranks * 12 + clusters * values * 4 + layout.ranks * values) +
        pace.operations(60) + 4 * pace.sum(16 * values, layout.ranks);
  }
  return all;
}

/// Alternating or swept optimisations of each weight on one rank: a few SVDs of it.
StageCost cost_of_operators(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "operators"};
  const CompressOptions& options = job.options;
  const bool has_gates = options.method.form == weights::Form::disentangled;
  const double sweeps =
      has_gates ? static_cast<double>(options.disentangler.sweeps * options.disentangler.depth)
                : static_cast<double>(1 + options.method.sweeps);
  std::vector<double> seconds;
  for (const NamedShape& weight : job.selected) {
    const auto m = static_cast<double>(weight.shape.rows),
               n = static_cast<double>(weight.shape.columns), k = std::min(m, n);
    const double flops = 6 * m * n * k;
    all.flops += sweeps * flops;
    seconds.push_back(sweeps *
                      (pace.svd_operations(m * n * k / 2, std::sqrt(k)) +
                       pace.product(flops, std::sqrt(k), Numbers::float64) + pace.operations(100)));
  }
  all.seconds = has_gates ? run::dealt(std::move(seconds), 1) / layout.ranks
                          : seconds_of_dealt(job, std::move(seconds), pace);
  return all;
}

/// The inverse of the moment of the units, and what is taken from it and from the matrix as units
/// leave.
StageCost cost_of_narrowing(const CompressionJob& job, const Pace& pace) {
  StageCost all{.stage = "narrower MLPs"};
  const double left = static_cast<double>(units_of(job.options.ranks, job.scoring.config.hidden));
  std::vector<double> seconds;
  for (const NamedShape& weight : job.selected) {
    if (weight.part != models::Part::down) continue;
    const auto m = static_cast<double>(weight.shape.rows),
               n = static_cast<double>(weight.shape.columns);
    const double taken = (n * n * n - left * left * left) * 2 / 3 + 2 * m * (n * n - left * left);
    all.flops += n * n * n + taken;
    seconds.push_back(pace.product(n * n * n, 64, Numbers::float64) +
                      pace.product(taken, std::max(1.0, n / 256), Numbers::float64) +
                      pace.memory(8 * taken / std::max(1.0, n / 256)));
  }
  all.seconds = run::dealt(std::move(seconds), pace.where().ranks);
  return all;
}

StageCost cost_of_forms(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  if (job.options.method.has_ranks()) return cost_of_components(job, layout, pace);
  if (job.options.method.has_books()) return cost_of_codebooks(job, pace);
  if (job.options.method.sized_by() == SizedBy::values) return cost_of_clusters(job, layout, pace);
  if (job.options.method.sized_by() == SizedBy::units) return cost_of_narrowing(job, pace);
  return cost_of_operators(job, layout, pace);
}

/// Both networks pass each stage as far as every group of weights, and behind it; what a weight
/// reads and what it should answer make products as large as a moment's and the weight's own. Each
/// weight gets its form, factors once more.
StageCost cost_of_sequential_fit(const CompressionJob& job, const Layout& layout,
                                 const Pace& pace) {
  constexpr double passes = 4.5;
  StageCost all{.stage = "sequential fit"};
  if (!job.options.fit.is_sequential()) return all;
  const auto tokens = static_cast<double>(job.options.calibration.window_length);
  const double turns = rounds(static_cast<double>(job.options.calibration.windows), layout.teams);
  all += window_of(job, layout)
             .layer(tokens, Pass::forward, pace)
             .times(turns * passes * layers_passed(job));
  std::set<std::int64_t> seen;
  for (const NamedShape& weight : job.selected) {
    const auto m = static_cast<double>(weight.shape.rows),
               n = static_cast<double>(weight.shape.columns);
    if (seen.insert(weight.input).second)
      all += cost_of_moment(n, true, tokens, layout, pace).times(turns);
    const double flops = 2 * tokens * m * n;
    all.seconds += turns * (pace.product(flops / layout.ranks, std::min(m, n), layout.numbers) +
                            pace.memory(12 * m * n / layout.ranks));
    all.flops += turns * flops;
  }
  all.flops *= layout.teams;
  const StageCost again = cost_of_forms(job, layout, pace);
  all.seconds += again.seconds;
  all.flops += again.flops;
  return all;
}

/// Every weight in turn, from its layer to the scores of both predictions.
StageCost cost_of_error_weights(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "error weights"};
  if (!job.options.measures_errors()) return all;
  const auto tokens = static_cast<double>(job.options.calibration.window_length);
  const models::WindowPass window = window_of(job, layout);
  const StageCost layer = window.layer(tokens, Pass::forward, pace);
  const StageCost scored = window.cost(tokens, Pass::scored, pace);
  const auto layers = static_cast<double>(job.scoring.config.layers);
  const double turns =
      rounds(static_cast<double>(job.options.ranks.measured_windows), layout.teams);
  for (const NamedShape& weight : job.selected) {
    // Both heads: twice what a scored window has beside its layers.
    all += scored.times(2 * turns);
    all += layer.times(-turns * (layers + static_cast<double>(weight.layer)));
  }
  all.flops *= layout.teams;
  return all;
}

/// Forms of the allocated ranks, beside what they are made of.
StageCost cost_of_conversion(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all{.stage = "allocation and conversion"};
  if (!job.options.method.has_ranks()) return all;
  for (const NamedShape& weight : job.selected) {
    const auto numbers = static_cast<double>(weight.shape.dense_numbers());
    all.seconds += pace.memory(10 * run::bytes_of(layout.numbers) * numbers / layout.ranks) +
                   pace.operations(80) + 8 * pace.sum(8, pace.where().ranks);
    if (job.options.method.gauge() == weights::FactorGauge::pivoted)
      all.seconds += pace.product(numbers * static_cast<double>(weight.shape.full_rank()), 64,
                                  Numbers::float64) /
                     layout.ranks;
  }
  if (job.options.needs_fermi()) {
    const auto tokens = static_cast<double>(job.options.calibration.gradient_window_length);
    all += window_of(job, layout)
               .cost(tokens, Pass::weight_gradients, pace)
               .times(static_cast<double>(job.options.ranks.fermi_steps) * 1.5);
  }
  return all;
}

/// Gradients into whitened coordinates and moves out of them, in a step: K^T K of both sides.
StageCost cost_of_whitening(const CompressionJob& job, const Layout& layout, const Pace& pace) {
  StageCost all;
  for (const NamedShape& weight : job.selected) {
    const auto m = static_cast<double>(weight.shape.rows),
               n = static_cast<double>(weight.shape.columns);
    const double rank = job.options.ranks.parameter_ratio * m * n / (m + n);
    const double flops = 4 * rank * (m * m + n * n);
    all.flops += flops * layout.teams;
    all.seconds += pace.product(flops * layout.teams / layout.ranks, rank, layout.numbers);
  }
  return all;
}

StageCost cost_of_healing(const CompressionJob& job, const Pace& pace) {
  const HealOptions& heal = job.options.heal;
  StageCost all = cost_of_training(job,
                                   {.steps = static_cast<double>(heal.steps),
                                    .windows_per_step = static_cast<double>(heal.windows_per_step),
                                    .window_length = static_cast<double>(heal.window_length),
                                    .numbers = job.options.ranks.parameter_ratio *
                                               static_cast<double>(job.selected_parameters()),
                                    .has_teacher = heal.loss == HealingLoss::distillation},
                                   pace);
  const std::int64_t looks =
      heal.held_out_windows > 0 && heal.steps > 0 ? 1 + heal.steps / heal.check_every : 0;
  const Layout layout(job, pace);
  if (heal.is_whitened())
    all += cost_of_whitening(job, layout, pace).times(static_cast<double>(heal.steps));
  all += window_of(job, layout)
             .cost(static_cast<double>(heal.window_length), Pass::scored, pace)
             .times(static_cast<double>(looks * heal.held_out_windows) /
                    static_cast<double>(layout.teams));
  all.stage = "healing";
  return all;
}

StageCost cost_of_adapter(const CompressionJob& job, const Pace& pace) {
  const AdapterOptions& adapter = job.options.adapter;
  if (!adapter.is_trained()) return {.stage = "adapter"};
  StageCost all = cost_of_training(
      job,
      {.steps = static_cast<double>(adapter.steps),
       .windows_per_step = static_cast<double>(adapter.windows_per_step),
       .window_length = static_cast<double>(adapter.window_length),
       .numbers = static_cast<double>(adapter_cost(job).numbers),
       .trains_weights = false,
       .has_teacher = adapter.loss == HealingLoss::distillation,
       .operations = operations_of_adapter * static_cast<double>(job.adapted.size())},
      pace);
  all.stage = "adapter";
  return all;
}

/// Scores of a run but for the first: after healing begins, the adapter, the noise, the end.
double scores_of(const CompressOptions& options) {
  double count = 1;
  if (options.heal.steps > 0) ++count;
  if (options.adapter.exists() && options.selects_weights()) ++count;
  for (std::size_t k = 0; k < options.noise.error_rates.size(); ++k)
    count += 1.0 + static_cast<double>(options.noise.shots.size());
  return count;
}

StageCost cost_of_export(const CompressionJob& job, const Pace& pace) {
  StageCost all{.stage = "export"};
  if (!job.options.result.directory.empty())
    all.seconds = pace.writing(2 * static_cast<double>(job.scoring.config.parameters()));
  return all;
}

}  // namespace

StageCost cost_of_score(const CompressionJob& job, const Pace& pace) {
  return models::cost_of_scoring(job.scoring, pace);
}

StageCost cost_of_training(const CompressionJob& job, const TextTraining& training,
                           const Pace& pace) {
  const Layout layout(job, pace);
  StageCost step;
  const models::WindowPass window = window_of(job, layout);
  const Pass pass = training.trains_weights ? Pass::weight_gradients : Pass::gradients;
  step += window.cost(training.window_length, pass, pace);
  if (training.has_teacher) step += window.cost(training.window_length, Pass::scored, pace);
  step = step.times(training.windows_per_step);
  step.flops *= layout.teams;
  step.seconds += pace.operations(training.operations);
  // AdamW reads and writes numbers, gradients and two moments.
  const double own = training.numbers / layout.ranks;
  step.seconds += pace.memory(8 * run::bytes_of(layout.numbers) * own);
  if (layout.teams > 1) {
    const double bytes = run::bytes_of(layout.numbers) * own;
    step.seconds += pace.sum(bytes, pace.where().ranks);
    step.bytes += 2 * bytes;
    ++step.messages;
  }
  return step.times(training.steps);
}

std::vector<StageCost> cost_of_fit(const CompressionJob& job, const Pace& pace) {
  if (!job.options.selects_weights()) return {};
  const Layout layout(job, pace);
  const bool are_made_in_order = job.options.fit.is_sequential() && !job.options.method.has_ranks();
  return {cost_of_inputs(job, layout, pace),
          cost_of_gradients(job, layout, pace),
          cost_of_value_errors(job, pace),
          are_made_in_order ? StageCost{} : cost_of_forms(job, layout, pace),
          cost_of_error_weights(job, layout, pace),
          cost_of_conversion(job, layout, pace),
          cost_of_sequential_fit(job, layout, pace)};
}

std::vector<StageCost> cost(const CompressionJob& job, const Pace& pace) {
  const Layout layout(job, pace);
  std::vector<StageCost> stages{
      {.stage = "start", .seconds = pace.start(true)},
      models::cost_of_reading(job.scoring.config, layout.numbers, layout.teams, pace),
      cost_of_score(job, pace)};
  for (StageCost& stage : cost_of_fit(job, pace)) stages.push_back(std::move(stage));
  stages.push_back(cost_of_healing(job, pace));
  stages.push_back(cost_of_adapter(job, pace));
  stages.push_back(cost_of_export(job, pace));
  StageCost after = cost_of_score(job, pace).times(scores_of(job.options));
  after.stage = "scoring again";
  stages.push_back(std::move(after));
  std::erase_if(stages, [](const StageCost& stage) { return stage.seconds == 0; });
  return stages;
}

}  // namespace rankine::compress
