#include "compress/calibration/activation_observer.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"

namespace rankine::compress {

using torch::Tensor;

Tensor WatchedWeight::forward(const Tensor& x) const {
  if (observer_.of_inputs) observer_.of_inputs(x);
  Tensor y = watched_->forward(x);
  if (observer_.of_output_gradients && y.requires_grad()) {
    const auto& observe = observer_.of_output_gradients;
    y.register_hook([&observe](Tensor dy) { observe(dy); });
  }
  return y;
}

std::shared_ptr<weights::Weight> weight_of(const models::LanguageModel& model,
                                           const std::string& name) {
  for (const models::TransformerLayer& layer : model.layers())
    for (const models::Projection* projection : layer.projections())
      if (projection->name == name) return projection->weight;
  throw InputError(fmt::format(
      "the layers of the model have no weight {} (it is asked for by that name). Use names of this "
      "model.",
      name));
}

void TemporaryWeights::replace(const std::string& name, std::shared_ptr<weights::Weight> weight) {
  originals_.push_back({name, weight_of(model_, name)});
  model_.replace_weight(name, std::move(weight));
}

void TemporaryWeights::watch(const std::string& name, Observer observer) {
  replace(name, std::make_shared<WatchedWeight>(model_.team(), weight_of(model_, name),
                                                std::move(observer)));
}

TemporaryWeights::~TemporaryWeights() {
  for (std::size_t i = originals_.size(); i-- > 0;)
    model_.replace_weight(originals_[i].name, std::move(originals_[i].weight));
}

}  // namespace rankine::compress
