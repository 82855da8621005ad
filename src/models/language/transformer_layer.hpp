// One layer of a transformer over a team of ranks: attention and MLP, each behind a norm.
//
// Llama and GPT-2 differ in data only: biases or none, RMSNorm or LayerNorm, rotary positions or
// none, a gated MLP or a plain one. Weights are held in row blocks; between the products the ranks
// gather activations (weights/exchange.hpp).
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "models/checkpoint/config.hpp"
#include "models/language/attention_blocks.hpp"
#include "models/slot.hpp"
#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::models {

/// RMSNorm, or LayerNorm where there is a bias. The same on all ranks.
struct Norm {
  std::string name;
  double epsilon = 0;
  torch::Tensor weight = {};
  torch::Tensor bias = {};

  torch::Tensor forward(const torch::Tensor& x) const;
};

/// How the heads of an attention layer are shared by the ranks of a team. Where the key heads
/// divide evenly, a rank owns whole groups of heads and keys stay where they are; else whole query
/// heads are shared as evenly as they can be, and keys and values are gathered. Ranks beyond the
/// number of heads own none.
struct HeadPlan {
  weights::RowSplit queries;
  weights::RowSplit keys;
  bool keys_stay = true;

  HeadPlan(const ModelConfig& config, int n_ranks);
  /// What this rank's attention works on.
  AttentionHeads own(const ModelConfig& config, int rank) const;
};

/// Keys and values of the positions so far, of one layer on this rank: capacity x columns.
struct LayerCache {
  torch::Tensor keys;
  torch::Tensor values;
};

struct TransformerLayer {
  std::string name;  ///< in the checkpoint: "model.layers.3"
  Norm attention_norm;
  Slot query, key, value, attention_output;
  Norm mlp_norm;
  Slot gate, up, down;  ///< without a gate the MLP is down(GELU(up x))

  /// x: tokens x width, the same on all ranks, at positions from `first_position` on. With a cache
  /// (no gradients then) the keys before them are taken from it and the new ones added.
  torch::Tensor forward(const parallel::Communicator& team, const ModelConfig& config,
                        const torch::Tensor& x, std::int64_t first_position,
                        LayerCache* cache) const;

  /// In the order in which activations meet them.
  std::vector<const Slot*> slots() const;
  std::vector<const Norm*> norms() const { return {&attention_norm, &mlp_norm}; }

 private:
  torch::Tensor attention(const parallel::Communicator& team, const ModelConfig& config,
                          const torch::Tensor& x, std::int64_t first_position,
                          LayerCache* cache) const;
  torch::Tensor mlp(const parallel::Communicator& team, const torch::Tensor& x) const;
};

}  // namespace rankine::models
