#include "compress/allocation/fermi_loss.hpp"

#include <cmath>
#include <span>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "models/language/losses.hpp"

namespace rankine::compress {

using torch::Tensor;

MaskedModel::MaskedModel(models::LanguageModel& model, const parallel::Communicator& world,
                         const parallel::Teams& teams, const std::vector<WeightFactors>& factors)
    : model_(model), world_(world), teams_(teams), in_model_(model) {
  for (const WeightFactors& all : factors) {
    const weights::RowSplit& split = weight_of(model, all.name)->split();
    weights_.push_back(std::make_shared<MaskedWeight>(
        teams.team(), split,
        leading_factors(teams.team(), all, split, std::ssize(all.singular_values))));
    in_model_.replace(all.name, weights_.back());
  }
}

double MaskedModel::add_gradient(const std::vector<std::int64_t>& ids) {
  const auto tokens = static_cast<std::int64_t>(ids.size());
  const Tensor sequence = torch::tensor(ids, torch::kInt64);
  const Tensor states = model_.run_layers(model_.embed(sequence));
  const Tensor loss = models::token_losses(model_, states.narrow(0, 0, tokens - 1),
                                           sequence.narrow(0, 1, tokens - 1))
                          .mean();
  loss.backward();
  return loss.item<double>();
}

Components MaskedModel::gradient(std::int64_t step, const Components& masks,
                                 const TokenWindows& windows) {
  for (std::size_t w = 0; w < weights_.size(); ++w) weights_[w]->set_mask(masks[w]);
  const auto index = static_cast<std::size_t>(step * teams_.count() + teams_.index());
  const double own_loss = add_gradient(windows[index % windows.size()]);
  const double loss = world_.sum(teams_.leads() ? own_loss : 0.0) / teams_.count();
  log().info("FermiGrad step {}: loss {:.4f} nat", step + 1, loss);
  if (!std::isfinite(loss))
    throw known_to_all(
        world_.size(),
        NumericalError(
            "the loss of FermiGrad is not finite (the masked model overflows). Choose a larger "
            "ranks.parameter_ratio or ranks.allocation = \"additive\"."));
  Components gradient;
  for (const auto& weight : weights_) {
    gradient.push_back(weight->own_mask_gradient());
    world_.sum(std::span(gradient.back()));
  }
  return gradient;
}

}  // namespace rankine::compress
