#include "models/language/language_model.hpp"

#include <fmt/format.h>

#include "core/contracts.hpp"
#include "models/language/losses.hpp"
#include "models/language/sampled_tokens.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::models {

using torch::Tensor;
using Parameters = std::vector<weights::Parameter>;

namespace {

void add_copy(Parameters& all, const std::string& name, const Tensor& values) {
  if (values.defined()) all.push_back({name, values, weights::Placement::copy, 0, values.size(0)});
}

void add_norm(Parameters& all, const Norm& norm) {
  add_copy(all, norm.name + ".weight", norm.weight);
  add_copy(all, norm.name + ".bias", norm.bias);
}

}  // namespace

void LanguageModel::add_bias(Parameters& all, const Slot& slot) const {
  const weights::RowSplit& split = slot.weight()->split();
  if (slot.own_bias().defined())
    all.push_back({slot.name() + ".bias", slot.own_bias(), weights::Placement::rows,
                   split.first(team_->rank()), split.total()});
}

void LanguageModel::add_slot(Parameters& all, const Slot& slot) const {
  for (weights::Parameter parameter : slot.weight()->parameters()) {
    parameter.name = slot.name() + "." + parameter.name;
    all.push_back(std::move(parameter));
  }
  add_bias(all, slot);
}

Tensor LanguageModel::embed(const Tensor& ids, std::int64_t first_position) const {
  Tensor x = weights::sum_over_ranks(*team_, embedding_.weight()->look_up(ids));
  if (config_->embedding_scale != 1) x = x * config_->embedding_scale;
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

std::vector<Stage> LanguageModel::stages() const {
  std::vector<Stage> all{{.name = "embedding",
                          .module = embedding_.name(),
                          .forward = [this](const Tensor& ids) { return embed(ids); }}};
  add_slot(all.back().parameters, embedding_);
  add_copy(all.back().parameters, "positions", positions_);
  for (const TransformerLayer& layer : layers_) {
    Stage stage{
        .name = fmt::format("layer {} of {}", all.size(), layers_.size()),
        .module = layer.name,
        .forward = [this, &layer](
                       const Tensor& x) { return layer.forward(*team_, *config_, x, 0, nullptr); },
        .slots = layer.slots(),
        .added_slots = layer.added_slots()};
    for (const Slot* slot : stage.slots) add_bias(stage.parameters, *slot);
    for (const Norm* norm : layer.norms()) add_norm(stage.parameters, *norm);
    all.push_back(std::move(stage));
  }
  all.push_back(
      {.name = "last norm", .module = last_norm_.name, .forward = [this](const Tensor& x) {
         Tensor hidden = last_norm_.forward(x);
         head_slot().show_input(hidden);
         return hidden;
       }});
  add_norm(all.back().parameters, last_norm_);
  return all;
}

std::vector<const Slot*> LanguageModel::outer_slots() const {
  if (!head_.exists()) return {&embedding_};
  return {&head_, &embedding_};
}

Tensor LanguageModel::losses(const Tensor& hidden, const Tensor& targets) const {
  return token_losses(*this, hidden.narrow(0, 0, targets.size(0)), targets);
}

Tensor LanguageModel::sample_targets(const Tensor& hidden, std::int64_t count,
                                     std::uint64_t stream) const {
  return sample_tokens(*this, hidden.detach().narrow(0, 0, count), stream);
}

std::vector<weights::Parameter> LanguageModel::parameters() const {
  std::vector<weights::Parameter> all;
  std::vector<const Slot*> in_order = slots();
  in_order.insert(in_order.begin(), &embedding_);
  if (head_.exists()) in_order.push_back(&head_);
  for (const Slot* slot : in_order) add_slot(all, *slot);
  add_norm(all, last_norm_);
  for (const TransformerLayer& layer : layers_)
    for (const Norm* norm : layer.norms()) add_norm(all, *norm);
  add_copy(all, "positions", positions_);
  return all;
}

std::vector<Batch> token_batches(const std::vector<std::vector<std::int64_t>>& sequences) {
  std::vector<Batch> batches;
  for (const auto& ids : sequences) {
    const Tensor sequence = torch::tensor(ids, torch::kInt64);
    batches.push_back({sequence, sequence.narrow(0, 1, sequence.size(0) - 1)});
  }
  return batches;
}

}  // namespace rankine::models
