#include "compress/experiments/changed_predictions.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "models/language/losses.hpp"

namespace rankine::compress {

using models::Batch;
using models::Stage;
using torch::Tensor;

ChangedPredictions::ChangedPredictions(models::LanguageModel& model,
                                       const parallel::Communicator& world,
                                       const parallel::Teams& teams,
                                       const std::vector<Batch>& batches)
    : model_(model), world_(world), teams_(teams), stages_(model.stages()) {
  const torch::NoGradGuard no_gradients;
  for (const Batch& batch : batches) targets_ += static_cast<double>(batch.targets.size(0));
  for (auto b = static_cast<std::size_t>(teams.index()); b < batches.size();
       b += static_cast<std::size_t>(teams.count())) {
    fronts_.push_back(batches[b].inputs);
    hidden_.push_back(model.forward(batches[b].inputs).narrow(0, 0, batches[b].targets.size(0)));
  }
}

void ChangedPredictions::advance_to(const std::string& slot) {
  const auto has_slot = [&](const Stage& stage) {
    return std::ranges::any_of(stage.slots,
                               [&](const models::Slot* one) { return one->name() == slot; });
  };
  for (; stage_ < stages_.size() && !has_slot(stages_[stage_]); ++stage_)
    for (Tensor& x : fronts_) x = stages_[stage_].forward(x);
  RANKINE_EXPECTS(stage_ < stages_.size(), "weights are asked for in the order of the stages");
}

double ChangedPredictions::divergence(const std::string& slot,
                                      std::shared_ptr<weights::Weight> weight) {
  const torch::NoGradGuard no_gradients;
  advance_to(slot);
  models::TemporaryWeights changed(model_);
  changed.replace(slot, std::move(weight));
  double sum = 0;
  for (std::size_t b = 0; b < fronts_.size(); ++b) {
    Tensor x = fronts_[b];
    for (std::size_t s = stage_; s < stages_.size(); ++s) x = stages_[s].forward(x);
    const auto tokens =
        models::compare_tokens(model_, x.narrow(0, 0, hidden_[b].size(0)), model_, hidden_[b], {});
    for (std::size_t t = 0; t < tokens.model.size(); ++t)
      sum += tokens.reference[t].divergence(tokens.model[t]);
  }
  return world_.sum(teams_.leads() ? sum : 0.0) / targets_;
}

}  // namespace rankine::compress
