#include "compress/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

namespace {

constexpr int most_ranks = 65536;

std::string bytes_text(double bytes) { return format_bytes(static_cast<std::uint64_t>(bytes)); }

struct Sums {
  double input_moments = 0;   ///< numbers; as if no two weights shared their inputs' moment twice
  double output_moments = 0;  ///< numbers
  double components = 0;      ///< numbers
  double largest_weight = 0;  ///< numbers of all matrices that its decomposition needs
};

/// Query, key and value share a moment, gate and up another one: consecutive weights of the same
/// inputs count once where they can share.
Sums sums_of(const CompressionJob& job) {
  Sums sums;
  const NamedShape* before = nullptr;
  for (const NamedShape& weight : job.selected) {
    const auto m = static_cast<double>(weight.shape.rows);
    const auto n = static_cast<double>(weight.shape.columns);
    const auto k = static_cast<double>(weight.shape.full_rank());
    const bool may_share = before && before->shape.columns == weight.shape.columns;
    sums.input_moments += may_share ? n * n / 2 : n * n;
    sums.output_moments += m * m;
    sums.components += (m + n) * k;
    sums.largest_weight = std::max(sums.largest_weight, 2 * n * n + 3 * m * m + 6 * m * n);
    before = &weight;
  }
  return sums;
}

/// Numbers kept for a backward pass through all layers, for one window.
double gradient_activations(const models::ModelConfig& c, std::int64_t tokens) {
  const auto per_token = static_cast<double>(8 * c.width + 4 * c.heads * c.head_size +
                                             4 * c.key_heads * c.head_size + 6 * c.hidden);
  return static_cast<double>(tokens * c.layers) * per_token;
}

CompressionForecast forecast(const CompressionJob& job, const models::Machine& machine) {
  const CompressOptions& options = job.options;
  const models::MemoryPlan scoring = models::plan_memory(job.scoring, machine);
  const double number = options.scoring.model.precision == "float64" ? 8 : 4;
  const Sums sums = sums_of(job);
  const bool has_original = options.heal.steps > 0 && options.heal.loss == "distillation";
  CompressionForecast result{.row_blocks = scoring.forecast.row_blocks * (has_original ? 2 : 1),
                             .program = scoring.forecast.program};
  if (!options.experiments.names.empty())  // clusters beside the originals, codes of a byte
    result.row_blocks +=
        (number + 1) * static_cast<double>(job.selected_parameters()) / scoring.ranks_per_team;
  if (options.method.needs_inputs())
    result.moments += 8 * sums.input_moments / scoring.ranks_per_team;
  if (options.needs_gradients()) result.moments += 4 * sums.output_moments / scoring.ranks_per_team;
  if (options.heal.steps > 0)  // gradients and AdamW's moments, of what is trained
    result.moments +=
        3 * number * static_cast<double>(job.selected_parameters()) / scoring.ranks_per_team;
  if (options.method.has_ranks()) result.components = number * sums.components / machine.ranks;
  double activations = scoring.forecast.activations;
  if (!job.calibration_windows.empty())
    activations +=
        2 * number * static_cast<double>(job.calibration_windows.size()) /
        static_cast<double>(options.scoring.parallel.teams) *
        static_cast<double>(options.calibration.window_length * job.scoring.config.width);
  std::int64_t trained = 0;
  if (!job.gradient_windows.empty() || !job.fermi_windows.empty())
    trained = options.calibration.gradient_window_length;
  if (!job.healing_windows.empty()) trained = std::max(trained, options.heal.window_length);
  activations += number * gradient_activations(job.scoring.config, trained);
  result.working = std::max(activations, 8.0 * machine.threads * sums.largest_weight);
  return result;
}

}  // namespace

std::string CompressionMemory::line() const {
  return fmt::format(
      "memory of the largest rank at most {} (weights {}, moments {}, components {}, working {}, "
      "program {}); a rank may use {}",
      bytes_text(forecast.total()), bytes_text(forecast.row_blocks), bytes_text(forecast.moments),
      bytes_text(forecast.components), bytes_text(forecast.working), bytes_text(forecast.program),
      allowed > 0 ? bytes_text(allowed) : std::string("an unknown amount"));
}

void CompressionMemory::require() const {
  if (allowed <= 0 || forecast.total() <= allowed) return;
  const std::string advice =
      sufficient_ranks > 0
          ? fmt::format("Use at least {} ranks in one team.", sufficient_ranks)
          : std::string("Select fewer weights, or use shorter windows or a simpler weighting.");
  throw ResourceError(
      fmt::format("the compression needs up to {} on the largest rank (a rank may use {}). {}",
                  bytes_text(forecast.total()), bytes_text(allowed), advice));
}

CompressionMemory plan_memory(const CompressionJob& job, const models::Machine& machine) {
  CompressionMemory memory{.forecast = forecast(job, machine),
                           .allowed = models::plan_memory(job.scoring, machine).allowed};
  CompressionJob in_one_team = job;
  in_one_team.options.scoring.parallel.teams = 1;
  in_one_team.scoring.options.parallel.teams = 1;
  models::Machine larger = machine;
  for (int ranks = 1; ranks <= most_ranks; ranks += std::max(1, ranks / 16)) {
    larger.ranks = ranks;
    if (forecast(in_one_team, larger).total() > memory.allowed) continue;
    memory.sufficient_ranks = ranks;
    break;
  }
  return memory;
}

}  // namespace rankine::compress
