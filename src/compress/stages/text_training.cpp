#include "compress/stages/text_training.hpp"

#include <memory>
#include <utility>

#include "core/log.hpp"
#include "core/text_format.hpp"
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

using Original = std::shared_ptr<const models::LanguageModel>;

/// The divergence from the predictions of the original model.
train::WindowLoss distillation_loss(const Workbench& bench, const Original& original,
                                    std::vector<models::Batch> batches) {
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

/// The loss that is trained, on some windows, in turn; without an original, that of their tokens.
train::WindowLoss loss_on(const Workbench& bench, const Original& original,
                          const TokenWindows& windows) {
  auto batches = models::token_batches(windows);
  return original ? distillation_loss(bench, original, std::move(batches))
                  : train::mean_loss(bench.model, std::move(batches));
}

/// The mean loss of windows 0 .. `count`, which the teams share. Collective over the world.
double mean_over_windows(const Workbench& bench, const train::WindowLoss& loss,
                         std::int64_t count) {
  const torch::NoGradGuard no_gradients;
  const parallel::Teams& teams = bench.teams;
  double sum = 0;
  for (std::int64_t window = teams.index(); window < count; window += teams.count())
    sum += loss(window).item<double>();
  const double once = teams.team().rank() == 0 ? sum : 0;
  return bench.world.sum(once) / static_cast<double>(count);
}

}  // namespace

train::State train_on_text(Workbench& bench, const std::vector<std::string>& names,
                           const TextTraining& how) {
  const Original original =
      how.loss == HealingLoss::distillation
          ? std::make_shared<const models::LanguageModel>(bench.read_model(how.original))
          : nullptr;
  const train::Objective objective(bench.world, bench.teams, how.windows_per_step,
                                   loss_on(bench, original, how.windows));
  train::Recipe recipe = how.recipe;
  if (recipe.epochs.steps > 0)
    recipe.epochs.finish = [&, loss = loss_on(bench, original, how.held_out)](std::int64_t epochs) {
      const double held_out = mean_over_windows(bench, loss, std::ssize(how.held_out));
      log().info("{}: held-out loss {:.4f} after {}", recipe.name, held_out,
                 counted(epochs * recipe.epochs.steps, "step"));
      return held_out;
    };
  train::SeriesKeeper keeper(bench.stages, bench.teams, how.stage, bench.control.options);
  return train::run(parameters_of(bench.model, names), objective, recipe, keeper,
                    bench.control.stop);
}

}  // namespace rankine::compress
