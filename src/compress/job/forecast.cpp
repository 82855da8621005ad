#include "compress/job/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compress/decomposition/decomposition_plan.hpp"
#include "compress/job/adapter_plan.hpp"
#include "compress/job/bond_dimension.hpp"
#include "compress/job/vocabulary.hpp"
#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "weights/making/value_histogram.hpp"

namespace rankine::compress {

using weights::SizedBy;

double gradient_activations(const models::ModelConfig& c, std::int64_t tokens) {
  const auto per_token = static_cast<double>(8 * c.width + 4 * c.heads * c.head_size +
                                             4 * c.key_heads * c.head_size + 6 * c.hidden);
  return static_cast<double>(tokens * c.layers) * per_token;
}

std::vector<GroupShape> decomposition_groups(const CompressionJob& job) {
  const MethodOptions& method = job.options.method;
  std::vector<GroupShape> groups;
  std::int64_t last_input = -1;
  for (const NamedShape& weight : job.selected) {
    if (weight.is_of_vocabulary()) continue;
    const std::int64_t n = weight.shape.columns;
    const bool shares = method.needs_inputs() && weight.input >= 0 && weight.input == last_input;
    if (!shares)
      groups.push_back({.columns = n,
                        .input_numbers = !method.needs_inputs()        ? 0
                                         : method.needs_whole_inputs() ? n * n
                                                                       : n,
                        .is_two_sided = method.weighting == Weighting::two_sided});
    groups.back().rows.push_back(weight.shape.rows);
    last_input = weight.input;
  }
  return groups;
}

namespace {

constexpr int most_ranks = 65536;

/// Numbers of all weights together.
struct Sums {
  double input_moments = 0;
  double output_moments = 0;
  double components = 0;
  double largest_components = 0;  ///< of one weight
};

Sums sums_of(const CompressionJob& job) {
  Sums sums;
  for (const GroupShape& group : decomposition_groups(job))
    sums.input_moments += static_cast<double>(group.input_numbers);
  for (const NamedShape& weight : job.selected) {
    const auto m = static_cast<double>(weight.shape.rows);
    if (weight.is_of_vocabulary()) {
      const auto n = static_cast<double>(weight.shape.columns);
      if (job.options.method.needs_inputs())
        sums.input_moments += job.options.method.needs_whole_inputs() ? n * n : n;
      if (job.options.needs_gradients()) sums.output_moments += m;
      continue;
    }
    const double components = (m + static_cast<double>(weight.shape.columns)) *
                              static_cast<double>(weight.shape.full_rank());
    if (job.options.needs_gradients())
      sums.output_moments += job.options.method.needs_whole_gradients() ? m * m : m;
    sums.components += components;
    sums.largest_components = std::max(sums.largest_components, components);
  }
  return sums;
}

double activations_of(const CompressionJob& job, const models::MemoryPlan& scoring, double number) {
  const CompressOptions& options = job.options;
  double activations = scoring.forecast.activations;
  // In one stage and behind it, of the original and the model that is fitted to it.
  const double kept = options.fit.is_sequential() ? 4 : 2;
  if (!job.calibration_windows.empty())
    activations +=
        kept * number * static_cast<double>(job.calibration_windows.size()) /
        static_cast<double>(options.scoring.parallel.teams) *
        static_cast<double>(options.calibration.window_length * job.scoring.config.width);
  std::int64_t trained = 0;
  if (!job.gradient_windows.empty() || !job.fermi_windows.empty())
    trained = options.calibration.gradient_window_length;
  if (!job.healing_windows.empty()) trained = std::max(trained, options.heal.window_length);
  if (!job.adapter_windows.empty()) trained = std::max(trained, options.adapter.window_length);
  return activations + number * gradient_activations(job.scoring.config, trained);
}

/// At most. What gets its form when training is over is trained as the two factors it is until
/// then.
double trained_numbers(const CompressionJob& job, const Sums& sums) {
  const weights::FormFacts& form = weights::facts_of(job.options.method.form);
  if (form.trained_as != form.value) return sums.components;
  return static_cast<double>(job.selected_parameters());
}

/// Of the cores of all selected weights.
double all_operator_numbers(const CompressionJob& job) {
  const RankOptions& ranks = job.options.ranks;
  if (ranks.bond_dimension == 0)
    return ranks.parameter_ratio * static_cast<double>(job.selected_parameters());
  double numbers = 0;
  for (const NamedShape& weight : job.selected)
    numbers += static_cast<double>(operator_numbers(job.options, weight.shape));
  return numbers;
}

/// Of an adapter that is trained, on every rank: its numbers with gradients and AdamW's moments;
/// its blocks, and the matrices in float64 that they are made of and their gradients pass through.
double adapter_bytes(const CompressionJob& job, double number) {
  const AdapterCost cost = adapter_cost(job);
  const auto block_numbers =
      static_cast<double>(cost.blocks * job.options.adapter.block * job.options.adapter.block);
  return 4 * number * static_cast<double>(cost.numbers) + 8 * 8 * block_numbers;
}

/// Whether a training learns from a model that is there beside the trained one.
bool has_original(const CompressOptions& options) {
  return (options.heal.steps > 0 && options.heal.loss == HealingLoss::distillation) ||
         (options.adapter.is_trained() && options.adapter.loss == HealingLoss::distillation);
}

/// Of input moments in which tokens count by their gradients.
double token_numbers(const CompressionJob& job) {
  double numbers = 0;
  if (!job.options.needs_token_moments()) return numbers;
  for (const NamedShape& weight : job.selected)
    numbers += static_cast<double>(weight.shape.columns * weight.shape.columns *
                                   job.options.calibration.gradient_groups);
  return numbers;
}

/// Of a rank, for the weights with one input that are fitted in order: what they should answer, the
/// moment of what they read and its factor, the solution and its transposes.
double fit_bytes(const CompressionJob& job, int ranks) {
  if (!job.options.fit.is_sequential()) return 0;
  double largest = 0;
  for (const GroupShape& group : decomposition_groups(job)) {
    const auto n = static_cast<double>(group.columns);
    double rows = 0;
    for (const std::int64_t m : group.rows) rows += static_cast<double>(m);
    largest = std::max(largest, 8 * n * (3 * n + 4 * rows));
  }
  return largest / ranks;
}

/// Of a rank with its rows of a weight with a row for every token, on the way to two factors: left
/// ones of both gauges and on their way, n x n numbers in float64.
double row_bytes(const CompressionJob& job, int ranks_per_team) {
  const double number = models::bytes_of(job.options.scoring.model.precision);
  double largest = 0;
  for (const NamedShape& weight : job.selected) {
    if (!weight.is_of_vocabulary()) continue;
    const auto numbers = static_cast<double>(weight.shape.dense_numbers());
    const auto n = static_cast<double>(weight.shape.columns);
    largest = std::max(largest, 6 * number * numbers / ranks_per_team + 12 * 8 * n * n);
  }
  return largest;
}

/// Of a rank with its rows of embedding and output weight in clusters, beside those of the model:
/// codes, rows as they are made of them, and as they were before their numbers are rounded.
double clustered_row_bytes(const CompressionJob& job, int ranks_per_team) {
  if (job.options.method.sized_by() != SizedBy::values) return 0;
  const double number = models::bytes_of(job.options.scoring.model.precision);
  double bytes = 0;
  for (const NamedShape& weight : job.selected)
    if (weight.is_of_vocabulary())
      bytes += (2 * number + 4) * static_cast<double>(weight.shape.dense_numbers());
  return bytes / ranks_per_team;
}

/// All but the decompositions.
CompressionForecast resident(const CompressionJob& job, const models::MemoryPlan& scoring,
                             int ranks) {
  const double number = models::bytes_of(job.options.scoring.model.precision);
  Sums sums = sums_of(job);
  CompressionForecast result{
      .row_blocks = scoring.forecast.row_blocks * (has_original(job.options) ? 2 : 1),
      .program = scoring.forecast.program};
  if (!job.options.experiments.names.empty())  // clusters beside the originals, codes of a byte
    result.row_blocks +=
        (number + 1) * static_cast<double>(job.selected_parameters()) / scoring.ranks_per_team;
  result.row_blocks += clustered_row_bytes(job, scoring.ranks_per_team);
  if (job.options.is_profile())  // forms beside the originals, cores on every rank
    result.row_blocks += number * static_cast<double>(job.selected_parameters());
  if (job.options.method.sized_by() == SizedBy::bonds &&
      !job.options.is_profile())  // on every rank
    result.row_blocks += number * all_operator_numbers(job);
  if (!job.measures_inputs()) sums.input_moments = 0;
  result.moments = 8 * sums.input_moments + number * (sums.output_moments + token_numbers(job));
  if (job.options.heal.steps > 0)  // gradients and AdamW's moments
    result.moments += 3 * number * trained_numbers(job, sums);
  result.moments /= scoring.ranks_per_team;
  if (job.options.heal.is_whitened())  // factors of all moments on every rank
    result.moments += number * (sums.input_moments + sums.output_moments);
  result.moments += adapter_bytes(job, number);
  result.working = activations_of(job, scoring, number) + fit_bytes(job, scoring.ranks_per_team);
  if (!job.options.method.has_ranks()) return result;
  result.components = number * sums.components / ranks;
  result.working = std::max(result.working, row_bytes(job, scoring.ranks_per_team));
  // Factors in float64, spread, transposed and on their way, while a form is made of them.
  result.working =
      std::max(result.working, 8 * 8 * sums.largest_components / scoring.ranks_per_team);
  return result;
}

double without_working(const CompressionForecast& forecast) {
  return forecast.total() - forecast.working;
}

/// Of the rank that makes an operator, which holds the weight and its moments as wholes; others
/// hold nothing of it.
double operator_bytes(const NamedShape& weight, const MethodOptions& method, std::int64_t teams) {
  const auto m = static_cast<double>(weight.shape.rows),
             n = static_cast<double>(weight.shape.columns);
  const double inputs = method.needs_inputs() ? n * n : 0,
               outputs = method.weighting == Weighting::two_sided ? m * m : 0;
  // A moment arrives from every team by way of buffers, and has copies while its product over
  // the sites is found. Then the matrix stands beside its singular vectors and LAPACK's workspace,
  // or images of itself and directions that were taken.
  const double arriving = 2 * m * n + static_cast<double>(teams + 3) * std::max(inputs, outputs);
  return 8 * (inputs + outputs + std::max(arriving, 17 * m * n));
}

/// Of a rank with its part of a matrix that is disentangled: the matrix, what it shall become, the
/// matrix of the cut and images of them on their way, in float64 at most.
double disentangling_bytes(const NamedShape& weight, int ranks) {
  return 8.0 * 6 * static_cast<double>(weight.shape.columns) *
         std::ceil(static_cast<double>(weight.shape.rows) / ranks);
}

/// Of a rank with its rows of a weight that gets shared values: 96 bytes an entry (rows and their
/// sensitivities in float64 and float32, two lists of counts), the distinct values of all ranks,
/// and the choices of the dynamic programme.
double clustered_bytes(const NamedShape& weight, const CompressOptions& options, int ranks) {
  const auto n = static_cast<double>(weight.shape.columns);
  const double own = n * std::ceil(static_cast<double>(weight.shape.rows) / ranks);
  const double values = std::min(static_cast<double>(weights::most_distinct_values),
                                 static_cast<double>(weight.shape.dense_numbers()));
  std::int64_t clusters = options.method.clusters;
  for (const std::int64_t tried : options.experiments.clusters)
    if (!options.experiments.names.empty()) clusters = std::max(clusters, tried);
  const auto layers = static_cast<double>(clusters);
  return 96 * own + (layers < values ? 4 * layers * values : 0) + 32 * ranks * values;
}

/// Of the rank that makes the codebooks of a whole matrix: matrix and moments in float64 on their
/// way, tiles before and after a round, outliers' scores; copies of the moments in float32.
double codebook_bytes(const NamedShape& weight, const CompressOptions& options) {
  const auto n = static_cast<double>(weight.shape.columns);
  const double groups =
      options.needs_token_moments() ? static_cast<double>(options.calibration.gradient_groups) : 1;
  const double teams = static_cast<double>(options.scoring.parallel.teams);
  const double scores = options.method.outliers_of(weight.shape.dense_numbers()) > 0 ? 32 : 0;
  const bool is_coupled = options.method.needs_whole_gradients() && !weight.is_of_vocabulary();
  const auto m = static_cast<double>(weight.shape.rows);
  const double outputs = is_coupled ? m * m * (8 * (teams + 3) + 4) : 0;
  const auto rows = static_cast<double>(rows_at_once(weight, options.method));
  return (16 + 4 + 2 * 12 + 12 + scores) * rows * n + n * n * (groups * (8 + 8) + 8 * (teams + 3)) +
         outputs;
}

/// Of the forms that are made of a weight itself.
double direct_bytes(const CompressionJob& job, int ranks_per_team) {
  const auto bytes_of = [&](const NamedShape& weight) {
    const MethodOptions& method = job.options.method;
    if (method.form == weights::Form::disentangled && !method.needs_inputs())
      return disentangling_bytes(weight, ranks_per_team);
    if (method.has_books()) return codebook_bytes(weight, job.options);
    if (method.sized_by() == SizedBy::values)
      return clustered_bytes(weight, job.options, ranks_per_team);
    return operator_bytes(weight, method, job.options.scoring.parallel.teams);
  };
  double largest = 0;
  for (const NamedShape& weight : job.selected) largest = std::max(largest, bytes_of(weight));
  return largest;
}

CompressionForecast forecast(const CompressionJob& job, const run::Machine& machine) {
  const models::MemoryPlan scoring = models::weigh_memory(job.scoring, machine);
  CompressionForecast result = resident(job, scoring, machine.ranks);
  if (job.selected.empty()) return result;
  if (!job.options.method.has_ranks()) {
    const double direct = direct_bytes(job, scoring.ranks_per_team);
    // A fit in order keeps the activations meanwhile.
    result.working = job.options.fit.is_sequential() ? result.working + direct
                                                     : std::max(result.working, direct);
    return result;
  }
  // One byte, if there is less than nothing: not unknown.
  const double left = std::max(1.0, scoring.allowed - without_working(result));
  const DecompositionPlan plan =
      plan_decomposition(decomposition_groups(job), {.ranks = machine.ranks,
                                                     .threads = machine.threads,
                                                     .bytes = scoring.allowed > 0 ? left : 0});
  result.working = std::max(result.working, plan.working_bytes);
  return result;
}

}  // namespace

std::string CompressionMemory::line() const {
  return fmt::format(
      "memory of the largest rank at most {} (weights {}, moments {}, components {}, working {}, "
      "program {}); a rank may use {}",
      format_bytes(forecast.total()), format_bytes(forecast.row_blocks),
      format_bytes(forecast.moments), format_bytes(forecast.components),
      format_bytes(forecast.working), format_bytes(forecast.program),
      allowed > 0 ? format_bytes(allowed) : std::string("an unknown amount"));
}

void CompressionMemory::require() const {
  if (allowed <= 0 || forecast.total() <= allowed) return;
  const std::string advice =
      sufficient_ranks > 0
          ? fmt::format("Use at least {} in one team.", counted(sufficient_ranks, "rank"))
          : std::string("Select fewer weights, or use shorter windows or a simpler weighting.");
  throw ResourceError(
      fmt::format("the compression needs up to {} on the largest rank (a rank may use {}). {}",
                  format_bytes(forecast.total()), format_bytes(allowed), advice));
}

CompressionMemory plan_memory(const CompressionJob& job, const run::Machine& machine) {
  CompressionMemory memory{.forecast = forecast(job, machine),
                           .allowed = models::weigh_memory(job.scoring, machine).allowed};
  CompressionJob in_one_team = job;
  in_one_team.options.scoring.parallel.teams = 1;
  in_one_team.scoring.options.parallel.teams = 1;
  run::Machine larger = machine;
  for (int ranks = 1; ranks <= most_ranks; ranks += std::max(1, ranks / 16)) {
    larger.ranks = ranks;
    if (forecast(in_one_team, larger).total() > memory.allowed) continue;
    memory.sufficient_ranks = ranks;
    break;
  }
  return memory;
}

double left_for_decomposition(const CompressionJob& job, const run::Machine& machine) {
  const models::MemoryPlan scoring = models::weigh_memory(job.scoring, machine);
  const CompressionForecast known = resident(job, scoring, machine.ranks);
  if (scoring.allowed <= 0) return 0;
  const bool is_set = job.options.scoring.parallel.memory_per_rank > 0;
  return std::max(1.0, scoring.allowed - (is_set ? without_working(known) : known.components));
}

}  // namespace rankine::compress
