#include "compress/stages/text_training.hpp"

#include <memory>
#include <utility>

#include "models/language/losses.hpp"
#include "train/series_keeper.hpp"

namespace rankine::compress {

namespace {

/// What the weights `names` store, under names that tell weights apart.
std::vector<weights::Parameter> parameters_of(const models::Network& model,
                                              const std::vector<std::string>& names) {
  std::vector<weights::Parameter> all;
  for (const std::string& name : names)
    for (weights::Parameter& parameter : weight_of(model, name)->parameters()) {
      parameter.name = name + "." + parameter.name;
      all.push_back(std::move(parameter));
    }
  return all;
}

/// The divergence from the predictions of the original model.
train::WindowLoss distillation_loss(const Workbench& bench, const models::ModelOptions& which,
                                    std::vector<models::Batch> batches) {
  const auto original = std::make_shared<const models::LanguageModel>(bench.read_model(which));
  return [&model = bench.model, original, batches = std::move(batches)](std::int64_t window) {
    const models::Batch& batch = batches[static_cast<std::size_t>(window) % batches.size()];
    const auto states_of = [&](const models::Network& one) {
      return one.forward(batch.inputs).narrow(0, 0, batch.targets.size(0));
    };
    const torch::Tensor states = states_of(model);
    const torch::Tensor expected = [&] {
      const torch::NoGradGuard no_gradients;
      return states_of(*original);
    }();
    return models::token_divergences(model, states, *original, expected).mean();
  };
}

}  // namespace

std::vector<double> train_on_text(Workbench& bench, const std::vector<std::string>& names,
                                  const TextTraining& how) {
  auto batches = models::token_batches(how.windows);
  const train::Objective objective(bench.world, bench.teams, how.windows_per_step,
                                   how.loss == HealingLoss::distillation
                                       ? distillation_loss(bench, how.original, std::move(batches))
                                       : train::mean_loss(bench.model, std::move(batches)));
  train::SeriesKeeper keeper(bench.stages, bench.teams, how.stage, bench.control.options);
  return train::run(parameters_of(bench.model, names), objective, how.recipe, keeper,
                    bench.control.stop)
      .losses;
}

}  // namespace rankine::compress
