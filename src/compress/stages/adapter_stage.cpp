#include "compress/stages/adapter_stage.hpp"

#include "compress/job/adapter_plan.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/text_training.hpp"
#include "core/log.hpp"
#include "models/export/peft_export.hpp"

namespace rankine::compress {

namespace {

void put_adapters(Workbench& bench) {
  for (const NamedShape& weight : bench.job.adapted)
    bench.model.replace_weight(
        weight.name, weights::make_adapted(weight_of(bench.model, weight.name),
                                           adapter_shape(bench.options.adapter, weight.name)));
}

models::ModelOptions original_of(const CompressOptions& options) {
  const models::ModelOptions& compressed = options.scoring.model;
  if (options.adapter.original.empty()) return compressed;
  return {.path = options.adapter.original, .precision = compressed.precision};
}

std::vector<double> train_adapters(Workbench& bench) {
  const AdapterOptions& how = bench.options.adapter;
  std::vector<std::string> names;
  for (const NamedShape& weight : bench.job.adapted) names.push_back(weight.name);
  return train_on_text(bench, names,
                       {.windows = bench.job.adapter_windows,
                        .loss = how.loss,
                        .original = original_of(bench.options),
                        .windows_per_step = how.windows_per_step,
                        .recipe = {.schedule = {.steps = how.steps,
                                                .largest = adapter_rate(how),
                                                .warm_up = how.warm_up},
                                   .name = "adapter",
                                   .advice = "Lower adapter.learning_rate."},
                        .stage = adapter_stage(bench.job, bench.control.values)})
      .losses;
}

void write_peft(const Workbench& bench) {
  const std::string& folder = bench.options.adapter.directory;
  if (folder.empty()) return;
  models::write_adapter(bench.model, bench.world, bench.teams, folder,
                        bench.options.scoring.model.path);
  if (!bench.result.weights.empty())
    log().info(
        "the adapter in {} belongs to the compressed weights: PEFT needs these as its base "
        "(export.format = \"dense\" of the same deck with adapter.kind = \"none\")",
        folder);
}

}  // namespace

void adapt(Workbench& bench) {
  const AdapterOptions& how = bench.options.adapter;
  if (!how.exists()) return;
  AdapterReport& report = bench.result.adapter.emplace();
  report.unadapted =
      bench.options.selects_weights() ? bench.score("without the adapter") : bench.result.before;
  bench.save();
  put_adapters(bench);
  log().info("{}", adapter_line(bench.job));
  if (how.is_trained())
    bench.timed("training", bench.result.seconds.adapter,
                [&] { report.losses = train_adapters(bench); });
  write_peft(bench);
}

}  // namespace rankine::compress
