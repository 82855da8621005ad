#include "compress/allocation/fermi_loss.hpp"

#include <cmath>

#include "core/errors.hpp"
#include "core/log.hpp"

namespace rankine::compress {

MaskedModel::MaskedModel(models::Network& model, const parallel::Communicator& world,
                         const parallel::Teams& teams, const std::vector<WeightFactors>& factors,
                         std::vector<models::Batch> batches)
    : in_model_(model), objective_(world, teams, 1, train::mean_loss(model, std::move(batches))) {
  for (const WeightFactors& all : factors) {
    const weights::RowSplit& split = weight_of(model, all.name)->split();
    weights_.push_back(std::make_shared<MaskedWeight>(
        teams.team(), split,
        leading_factors(teams.team(), all, split, std::ssize(all.singular_values))));
    in_model_.replace(all.name, weights_.back());
  }
}

Components MaskedModel::gradient(std::int64_t step, const Components& masks) {
  std::vector<weights::Parameter> parameters;
  for (std::size_t w = 0; w < weights_.size(); ++w) {
    weights_[w]->set_mask(masks[w]);
    parameters.push_back(weights_[w]->parameters().front());
  }
  const double loss = objective_.gradient(step, parameters);
  log().info("FermiGrad step {}: loss {:.4f} nat", step + 1, loss);
  if (!std::isfinite(loss))
    throw known_to_all(
        objective_.world().size(),
        NumericalError(
            "the loss of FermiGrad is not finite (the masked model overflows). Choose a larger "
            "ranks.parameter_ratio or ranks.allocation = \"additive\"."));
  Components gradient;
  for (const auto& weight : weights_) gradient.push_back(weight->mask_gradient());
  return gradient;
}

}  // namespace rankine::compress
