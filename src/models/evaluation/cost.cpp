#include "models/evaluation/cost.hpp"

#include <algorithm>
#include <cmath>

namespace rankine::models {

using run::Numbers;
using run::Pace;
using run::StageCost;

namespace {

/// One layer, or the head, on the rank that has most rows.
class LayerPass {
 public:
  LayerPass(const WindowPass& where, double tokens, const Pace& pace)
      : c_(where.config),
        numbers_(where.numbers),
        ranks_(where.ranks),
        tokens_(tokens),
        pace_(pace) {}

  StageCost layer(Pass pass) {
    const auto width = static_cast<double>(c_.width), hidden = static_cast<double>(c_.hidden),
               queries = static_cast<double>(c_.heads * c_.head_size),
               keys = static_cast<double>(c_.key_heads * c_.head_size);
    const double gates = c_.is_gated() ? 2 : 1;
    const double times = pass == Pass::gradients ? 2 : pass == Pass::weight_gradients ? 3 : 1;
    for (const double outputs : {queries, keys, keys}) product(share(outputs), width, times);
    product(share(width), queries, times);
    for (int g = 0; g < gates; ++g) product(share(hidden), width, times);
    product(share(width), hidden, times);
    const double backward = times > 1 ? 1 : 0;
    attention(backward);
    passes((6 * width + (4 * queries + 4 * keys + 3 * gates * hidden) / ranks_) *
           (1 + 1.5 * backward));
    operations(60 * (1 + 2 * backward));
    for (const double columns : {queries, width, hidden, width}) gather(columns, 1 + backward);
    for (int k = 0; k < 2 * backward; ++k) sum(width);
    return cost_;
  }

  StageCost head(Pass pass) {
    const double columns = share(static_cast<double>(c_.vocabulary_size));
    const double times = pass == Pass::scored ? 1 : 3;  // logits are made again on the way back
    product(columns, static_cast<double>(c_.width), times);
    cost_.seconds += pace_.exponentials(tokens_ * columns * (times > 1 ? 2 : 1));
    passes(2 * columns * times);
    operations(20 * times);
    if (ranks_ > 1) {
      cost_.seconds += pace_.gather(40 * tokens_, ranks_);
      ++cost_.messages;
    }
    return cost_;
  }

 private:
  double share(double all) const { return std::ceil(all / ranks_); }

  void product(double outputs, double inputs, double times) {
    cost_.flops += 2 * tokens_ * outputs * ranks_ * inputs * times;
    cost_.seconds += times * pace_.matrix_product(tokens_, outputs, inputs, numbers_);
  }

  /// Queries see the keys before them: half of all pairs and half a block more, or those of a
  /// window. The mean over the layers.
  double pairs() const {
    const double all = tokens_ * (tokens_ + 64) / 2;
    if (!c_.sliding_window) return all;
    const double beyond = std::max(0.0, tokens_ - static_cast<double>(*c_.sliding_window));
    const auto local = static_cast<double>(std::ranges::count(c_.is_local, true));
    return all - local / static_cast<double>(c_.layers) * beyond * beyond / 2;
  }

  void attention(double backward) {
    const double heads = std::ceil(static_cast<double>(c_.heads) / ranks_),
                 size = static_cast<double>(c_.head_size);
    const double pairs = heads * this->pairs();
    const double flops = 4 * pairs * size * (1 + 2.5 * backward);
    cost_.flops += flops * ranks_;
    cost_.seconds += pace_.product(flops, std::min(size, tokens_), numbers_) +
                     pace_.exponentials(pairs * (1 + backward));
  }

  /// So many numbers of each token through memory.
  void passes(double numbers) {
    cost_.seconds += pace_.memory(run::bytes_of(numbers_) * tokens_ * numbers);
  }
  void operations(double count) { cost_.seconds += pace_.operations(count); }

  void gather(double columns, double times) {
    if (ranks_ == 1) return;
    const double bytes = run::bytes_of(numbers_) * tokens_ * columns;
    cost_.seconds += times * (pace_.gather(bytes, ranks_) + pace_.memory(3 * bytes));
    cost_.bytes += times * bytes * (ranks_ - 1) / ranks_;
    cost_.messages += times;
  }
  void sum(double columns) {
    if (ranks_ == 1) return;
    const double bytes = run::bytes_of(numbers_) * tokens_ * columns;
    cost_.seconds += pace_.sum(bytes, ranks_);
    cost_.bytes += bytes;
    ++cost_.messages;
  }

  const ModelConfig& c_;
  Numbers numbers_;
  int ranks_;
  double tokens_;
  const Pace& pace_;
  StageCost cost_;
};

/// Prompts are continued by the first team, token by token.
StageCost cost_of_prompts(const EvaluationJob& job, Numbers numbers, int ranks, const Pace& pace) {
  StageCost all{.stage = "continuing prompts"};
  const WindowPass where{job.config, numbers, ranks};
  for (const Continuation& prompt : job.prompts) {
    all += where.cost(static_cast<double>(prompt.prompt_ids.size()), Pass::forward, pace);
    all +=
        where.cost(1, Pass::scored, pace).times(static_cast<double>(job.options.generate.tokens));
  }
  return all;
}

/// What its choices share passes once.
StageCost cost_of_item(const TaskItem& item, const WindowPass& where, const Pace& pace) {
  const auto shared = static_cast<double>(item.shared_tokens());
  StageCost all = where.cost(shared, Pass::forward, pace);
  for (const TaskChoice& choice : item.choices)
    all += where.cost(static_cast<double>(choice.ids.size() - 1) - shared, Pass::scored, pace);
  return all;
}

int teams_of(const EvaluationJob& job, const Pace& pace) {
  return static_cast<int>(std::min<std::int64_t>(job.options.parallel.teams, pace.where().ranks));
}

}  // namespace

Numbers numbers_of(Precision precision) {
  return precision == Precision::float64 ? Numbers::float64 : Numbers::float32;
}

double rounds(double count, int teams) { return std::ceil(count / teams); }

StageCost WindowPass::cost(double tokens, Pass pass, const Pace& pace) const {
  StageCost all = layer(tokens, pass, pace).times(static_cast<double>(config.layers));
  if (pass != Pass::forward) all += LayerPass(*this, tokens, pace).head(pass);
  return all;
}

StageCost WindowPass::layer(double tokens, Pass pass, const Pace& pace) const {
  return LayerPass(*this, tokens, pace).layer(pass);
}

StageCost cost_of_reading(const ModelConfig& config, Numbers numbers, int teams, const Pace& pace) {
  const auto parameters = static_cast<double>(config.parameters());
  const double own = parameters * teams / pace.where().ranks;
  // Read as they lie in files of two bytes a number, copied, and summed up.
  return {.stage = "reading the model",
          .seconds = pace.reading(2 * parameters * teams) +
                     pace.memory((2 + 3 * run::bytes_of(numbers)) * own) + pace.scalars(own / 4)};
}

StageCost cost_of_scoring(const EvaluationJob& job, const Pace& pace) {
  const Numbers numbers = numbers_of(job.options.model.precision);
  const int teams = teams_of(job, pace), ranks = pace.where().ranks / teams;
  const std::size_t count = job.plan.windows.size();
  StageCost all{.stage = "scoring windows"};
  for (const TaskItem& item : job.tasks.items)
    all += cost_of_item(item, {job.config, numbers, ranks}, pace).times(1.0 / teams);
  std::vector<const ModelConfig*> configs{&job.config};
  if (job.reference_config) configs.push_back(&*job.reference_config);
  for (const ModelConfig* config : configs)
    if (count > 0)
      all += WindowPass{*config, numbers, ranks}
                 .cost(static_cast<double>(job.plan.longest_window()), Pass::scored, pace)
                 .times(rounds(static_cast<double>(count), teams));
  all.flops *= teams;
  return all;
}

std::vector<StageCost> cost(const EvaluationJob& job, const Pace& pace) {
  const Numbers numbers = numbers_of(job.options.model.precision);
  const int teams = teams_of(job, pace);
  std::vector<StageCost> stages{{.stage = "start", .seconds = pace.start(true)},
                                cost_of_reading(job.config, numbers, teams, pace),
                                cost_of_scoring(job, pace),
                                cost_of_prompts(job, numbers, pace.where().ranks / teams, pace)};
  if (job.reference_config)
    stages.push_back(cost_of_reading(*job.reference_config, numbers, teams, pace));
  std::erase_if(stages, [](const StageCost& stage) { return stage.seconds == 0; });
  return stages;
}

}  // namespace rankine::models
