#include "models/language/language_model.hpp"

#include <fmt/format.h>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::models {

using torch::Tensor;

Tensor LanguageModel::embed(const Tensor& ids, std::int64_t first_position) const {
  const Tensor x = weights::sum_over_ranks(*team_, embedding_.weight->look_up(ids));
  return positions_.defined() ? x + positions_.narrow(0, first_position, ids.size(0)) : x;
}

Tensor LanguageModel::hidden_states(const Tensor& ids, KeyValueCache* cache) const {
  RANKINE_EXPECTS(ids.dim() == 1 && ids.size(0) > 0, "ids are a sequence");
  const std::int64_t first = cache ? cache->length : 0;
  RANKINE_EXPECTS(first + ids.size(0) <= config_->context, "the sequence fits the context");
  Tensor x = embed(ids, first);
  for (std::size_t layer = 0; layer < layers_.size(); ++layer)
    x = layers_[layer].forward(*team_, *config_, x, first, cache ? &cache->layers[layer] : nullptr);
  if (cache) cache->length += ids.size(0);
  return last_norm_.forward(x);
}

Tensor LanguageModel::run_layers(Tensor x) const {
  for (const TransformerLayer& layer : layers_) x = layer.forward(*team_, *config_, x, 0, nullptr);
  return last_norm_.forward(x);
}

Tensor LanguageModel::logits(const Tensor& hidden) const {
  const Tensor own = head().forward(weights::share_input(*team_, hidden));
  return weights::gather_columns(*team_, own, head().split(), weights::Gradient::same);
}

KeyValueCache LanguageModel::make_cache(std::int64_t capacity) const {
  const AttentionHeads heads = HeadPlan(*config_, team_->size()).own(*config_, team_->rank());
  KeyValueCache cache{.length = 0, .capacity = capacity, .layers = {}};
  const auto options = last_norm_.weight.options().requires_grad(false);
  for (std::size_t layer = 0; layer < layers_.size(); ++layer)
    cache.layers.push_back(
        {.keys = torch::empty({capacity, heads.key_heads * heads.head_size}, options),
         .values = torch::empty({capacity, heads.key_heads * heads.head_size}, options)});
  return cache;
}

std::vector<const Projection*> LanguageModel::projections() const {
  std::vector<const Projection*> all{&embedding_};
  for (const TransformerLayer& layer : layers_)
    for (const Projection* projection : layer.projections()) all.push_back(projection);
  if (head_.weight != embedding_.weight) all.push_back(&head_);
  return all;
}

void LanguageModel::replace_weight(const std::string& projection,
                                   std::shared_ptr<weights::Weight> weight) {
  for (TransformerLayer& layer : layers_)
    for (Projection* own : layer.projections())
      if (own->name == projection) {
        if (weight->outputs() != own->weight->outputs() ||
            weight->inputs() != own->weight->inputs())
          throw InputError(
              fmt::format("{} is {} x {} in the model (a weight of {} x {} is to take "
                          "its place). Use weights of this model.",
                          projection, own->weight->outputs(), own->weight->inputs(),
                          weight->outputs(), weight->inputs()));
        own->weight = std::move(weight);
        return;
      }
  throw InputError(fmt::format(
      "the layers of the model have no weight {} (another is to take its place). Use weights of "
      "this model.",
      projection));
}

std::vector<weights::Parameter> LanguageModel::parameters() const {
  std::vector<weights::Parameter> all;
  const auto add_copy = [&](const std::string& name, const Tensor& values) {
    if (values.defined())
      all.push_back({name, values, weights::Placement::copy, 0, values.size(0)});
  };
  for (const Projection* projection : projections()) {
    for (weights::Parameter parameter : projection->weight->parameters()) {
      parameter.name = projection->name + "." + parameter.name;
      all.push_back(std::move(parameter));
    }
    const weights::RowSplit& split = projection->weight->split();
    if (projection->own_bias.defined())
      all.push_back({projection->name + ".bias", projection->own_bias, weights::Placement::rows,
                     split.first(team_->rank()), split.total()});
  }
  std::vector<const Norm*> norms{&last_norm_};
  for (const TransformerLayer& layer : layers_)
    for (const Norm* norm : layer.norms()) norms.push_back(norm);
  for (const Norm* norm : norms) {
    add_copy(norm->name + ".weight", norm->weight);
    add_copy(norm->name + ".bias", norm->bias);
  }
  add_copy("positions", positions_);
  return all;
}

}  // namespace rankine::models
