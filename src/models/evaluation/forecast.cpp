#include "models/evaluation/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "models/language/attention_blocks.hpp"
#include "models/language/logit_parts.hpp"

namespace rankine::models {

namespace {

/// The largest share when `total` is cut into units over the ranks.
double share(std::int64_t total, int ranks, std::int64_t unit = 1) {
  const std::int64_t units = total / unit;
  return static_cast<double>((units + ranks - 1) / ranks * unit);
}

double weights_of(const ModelConfig& c, int ranks) {
  const double width = static_cast<double>(c.width);
  const double queries = share(c.heads * c.head_size, ranks, c.head_size);
  const double keys = share(c.key_heads * c.head_size, ranks, c.head_size);
  const double mlp = share(c.hidden, ranks);
  const double gates = c.is_gated() ? 2 : 1;
  const double layer =
      width * (queries + 2 * keys + gates * mlp) +
      share(c.width, ranks) * static_cast<double>(c.heads * c.head_size + c.hidden);
  const bool has_positions = !c.architecture->names.positions.empty();
  const double whole = has_positions ? static_cast<double>(c.context) * width : 0;
  return static_cast<double>(c.layers) * layer +
         share(c.vocabulary_size, ranks) * width * (c.has_tied_head ? 1 : 2) + whole;
}

/// Numbers alive at once while a layer runs: the stream, its norm, queries, keys and values, their
/// gathered copies, or the MLP's three inner arrays; and the last norm beside a chunk of logits.
double activations_of(const ModelConfig& c, std::int64_t tokens, int ranks, int threads) {
  const double t = static_cast<double>(tokens), width = static_cast<double>(c.width);
  const double queries = static_cast<double>(c.heads * c.head_size);
  const double keys = static_cast<double>(c.key_heads * c.head_size);
  const double copies = ranks > 1 ? 2 : 1;
  const double attention =
      t * copies * (2 * queries + 4 * keys) +
      threads * 1.2 * static_cast<double>(attention_block_size(tokens, c.heads / c.key_heads));
  const double mlp =
      t * (3 * share(c.hidden, ranks) + (ranks > 1 ? 2.0 * static_cast<double>(c.hidden) : 0));
  const double columns = share(c.vocabulary_size, ranks);
  const double chunk =
      static_cast<double>(std::min(tokens, tokens_per_chunk(static_cast<std::int64_t>(columns))));
  return t * 5 * width + std::max({attention, mlp, chunk * columns});
}

}  // namespace

std::string MemoryPlan::line() const {
  const auto text = [](double value) { return format_bytes(value); };
  return fmt::format(
      "memory of the largest rank at most {} (weights {}, activations {}, program {}; {} a "
      "team); a rank may use {}",
      text(forecast.total()), text(forecast.row_blocks), text(forecast.activations),
      text(forecast.program), counted(ranks_per_team, "rank"),
      allowed > 0 ? text(allowed) : std::string("an unknown amount"));
}

void MemoryPlan::require() const {
  if (allowed <= 0 || forecast.total() <= allowed) return;
  const std::string advice =
      sufficient_ranks > 0
          ? fmt::format("Use at least {} in one team, a smaller evaluate.window_length",
                        counted(sufficient_ranks, "rank"))
          : std::string("Use a smaller evaluate.window_length or fewer generate.tokens");
  throw ResourceError(fmt::format(
      "the model and its activations need up to {} on the largest rank (a rank may use {}). {}{}.",
      format_bytes(forecast.total()), format_bytes(allowed), advice,
      is_double ? ", or model.precision = \"float32\"" : ""));
}

MemoryPlan weigh_memory(const EvaluationJob& job, const run::Machine& machine) {
  constexpr double gibibyte = 1073741824.0;
  const double number = bytes_of(job.options.model.precision);
  const int teams =
      static_cast<int>(std::min<std::int64_t>(job.options.parallel.teams, machine.ranks));
  MemoryPlan plan{.forecast = {.program = program_bytes},
                  .ranks_per_team = machine.ranks / teams,
                  .is_double = number == 8};
  std::vector<ModelConfig> configs{job.config};
  if (job.reference_config) configs.push_back(*job.reference_config);
  for (const ModelConfig& config : configs) {
    plan.forecast.row_blocks += number * weights_of(config, plan.ranks_per_team);
    plan.forecast.activations += number * activations_of(config, job.longest_sequence(),
                                                         plan.ranks_per_team, machine.threads);
  }
  const double limit = job.options.parallel.memory_per_rank;
  plan.allowed = limit > 0 ? limit * gibibyte
                           : static_cast<double>(machine.node_bytes) / machine.ranks_per_node;
  return plan;
}

MemoryPlan plan_memory(const EvaluationJob& job, const run::Machine& machine) {
  constexpr int most_ranks = 65536;
  MemoryPlan plan = weigh_memory(job, machine);
  if (plan.allowed <= 0 || plan.forecast.total() <= plan.allowed) return plan;
  EvaluationJob in_one_team = job;
  in_one_team.options.parallel.teams = 1;
  run::Machine larger = machine;
  for (int ranks = 1; ranks <= most_ranks; ranks += std::max(1, ranks / 16)) {
    larger.ranks = ranks;
    if (weigh_memory(in_one_team, larger).forecast.total() > plan.allowed) continue;
    plan.sufficient_ranks = ranks;
    break;
  }
  return plan;
}

}  // namespace rankine::models
