#include "models/language/transformer_layer.hpp"

#include "models/language/layers.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::models {

using parallel::Communicator;
using torch::Tensor;
using weights::gather_columns;
using weights::Gradient;
using weights::RowSplit;

namespace {

RowSplit split_queries(const ModelConfig& config, int n_ranks) {
  const bool whole_groups = config.key_heads % n_ranks == 0;
  const std::int64_t unit = config.head_size * (whole_groups ? config.heads / config.key_heads : 1);
  return RowSplit::even(config.heads * config.head_size, n_ranks, unit);
}

/// Adds the new rows behind the old ones; returns all rows.
Tensor appended(Tensor& cache, const Tensor& rows, std::int64_t first_position) {
  cache.narrow(0, first_position, rows.size(0)).copy_(rows);
  return cache.narrow(0, 0, first_position + rows.size(0));
}

}  // namespace

Tensor Norm::forward(const Tensor& x) const {
  if (kind == NormKind::layer) return torch::layer_norm(x, {x.size(1)}, weight, bias, epsilon);
  return rms_norm(x, kind == NormKind::rms_plus_one ? weight + 1 : weight, epsilon);
}

HeadPlan::HeadPlan(const ModelConfig& config, int n_ranks)
    : queries(split_queries(config, n_ranks)),
      keys(RowSplit::even(config.key_heads * config.head_size, n_ranks, config.head_size)),
      keys_stay(config.key_heads % n_ranks == 0) {}

AttentionHeads HeadPlan::own(const ModelConfig& config, int rank) const {
  const std::int64_t size = config.head_size;
  return {.head_size = size,
          .query_heads = queries.count(rank) / size,
          .key_heads = (keys_stay ? keys.count(rank) : keys.total()) / size,
          .queries_per_key = config.heads / config.key_heads,
          .first_query_head = keys_stay ? 0 : queries.first(rank) / size,
          .scale = config.score_scale};
}

Tensor TransformerLayer::placed(const Communicator& team, const ModelConfig& config,
                                const Tensor& x, const Norm& norm,
                                std::int64_t first_position) const {
  Tensor y = x;
  if (norm.exists()) {
    // Each rank has other heads, whose gradients add up in the weight of the norm.
    Norm of_heads = norm;
    of_heads.weight = weights::share_input(team, norm.weight);
    const std::int64_t size = config.head_size;
    y = of_heads.forward(x.reshape({x.numel() / size, size})).reshape(x.sizes());
  }
  const Rotary* rotary = config.rotary_of(index);
  return rotary ? rotate(y, *rotary, config.head_size, first_position) : y;
}

Tensor TransformerLayer::attention(const Communicator& team, const ModelConfig& config,
                                   const Tensor& x, std::int64_t first_position,
                                   LayerCache* cache) const {
  const HeadPlan plan(config, team.size());
  const Tensor input = weights::share_input(team, x);
  Tensor q = query.forward(input), k = key.forward(input), v = value.forward(input);
  q = placed(team, config, q, query_norm, first_position);
  k = placed(team, config, k, key_norm, first_position);
  if (!plan.keys_stay) {
    k = gather_columns(team, k, plan.keys, Gradient::shares);
    v = gather_columns(team, v, plan.keys, Gradient::shares);
  }
  if (cache) {
    k = appended(cache->keys, k, first_position);
    v = appended(cache->values, v, first_position);
  }
  AttentionHeads own = plan.own(config, team.rank());
  own.window = config.window(index).value_or(own.window);
  const Tensor heads = causal_attention(q, k, v, own);
  const Tensor all = gather_columns(team, heads, plan.queries, Gradient::shares);
  return gather_columns(team, attention_output.forward(all), attention_output.weight()->split(),
                        Gradient::same);
}

Tensor TransformerLayer::mlp(const Communicator& team, const ModelConfig& config,
                             const Tensor& x) const {
  const Tensor input = weights::share_input(team, x);
  const Tensor own = gate.exists()
                         ? gated(config.activation, gate.forward(input), up.forward(input))
                         : activated(config.activation, up.forward(input));
  const Tensor hidden = gather_columns(team, own, up.weight()->split(), Gradient::shares);
  return gather_columns(team, down.forward(hidden), down.weight()->split(), Gradient::same);
}

Tensor TransformerLayer::forward(const Communicator& team, const ModelConfig& config,
                                 const Tensor& x, std::int64_t first_position,
                                 LayerCache* cache) const {
  const auto behind = [](const Norm& norm, const Tensor& y) {
    return norm.exists() ? norm.forward(y) : y;
  };
  const Tensor y =
      x + behind(attention_output_norm,
                 attention(team, config, attention_norm.forward(x), first_position, cache));
  const Tensor& read = config.is_parallel ? x : y;
  return y + behind(mlp_output_norm, mlp(team, config, mlp_norm.forward(read)));
}

Slot& TransformerLayer::at(Part part) {
  switch (part) {
    case Part::query:
      return query;
    case Part::key:
      return key;
    case Part::value:
      return value;
    case Part::attention_output:
      return attention_output;
    case Part::gate:
      return gate;
    case Part::up:
      return up;
    default:
      return down;
  }
}

std::vector<const Slot*> TransformerLayer::slots() const {
  std::vector<const Slot*> all;
  for (const Slot* slot : {&query, &key, &value, &attention_output, &gate, &up, &down})
    if (slot->exists()) all.push_back(slot);
  return all;
}

std::vector<const Slot*> TransformerLayer::added_slots() const {
  if (attention_output_norm.exists() || mlp_output_norm.exists()) return {};
  return {&attention_output, &down};
}

std::vector<const Norm*> TransformerLayer::norms() const {
  std::vector<const Norm*> all;
  for (const Norm* norm : {&attention_norm, &query_norm, &key_norm, &attention_output_norm,
                           &mlp_norm, &mlp_output_norm})
    if (norm->exists()) all.push_back(norm);
  return all;
}

}  // namespace rankine::models
