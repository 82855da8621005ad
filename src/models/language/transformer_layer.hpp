// One layer of a transformer over a team of ranks: attention and MLP, each behind a norm.
//
// Architectures differ in data only: kinds of norms and where they stand, biases, rotary positions
// and windows of attention, a gated MLP or a plain one (models/checkpoint/architecture.hpp).
// Weights are held in row blocks; between the products the ranks gather activations
// (weights/exchange.hpp).
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "models/checkpoint/checkpoint_names.hpp"
#include "models/checkpoint/config.hpp"
#include "models/language/attention_blocks.hpp"
#include "models/slot.hpp"
#include "parallel/communicator.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::models {

/// The same on all ranks.
struct Norm {
  std::string name = {};
  NormKind kind = NormKind::rms;
  double epsilon = 0;
  torch::Tensor weight = {};
  torch::Tensor bias = {};  ///< of a layer norm

  bool exists() const { return weight.defined(); }
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
  std::int64_t index = 0;
  Norm attention_norm;
  Slot query, key, value, attention_output;
  Norm query_norm, key_norm;   ///< of each head; may be absent
  Norm attention_output_norm;  ///< of what is added to the stream; may be absent
  Norm mlp_norm;
  Slot gate, up, down;  ///< without a gate the MLP is down(f(up x))
  Norm mlp_output_norm;

  /// x: tokens x width, the same on all ranks, at positions from `first_position` on. With a cache
  /// (no gradients then) the keys before them are taken from it and the new ones added.
  torch::Tensor forward(const parallel::Communicator& team, const ModelConfig& config,
                        const torch::Tensor& x, std::int64_t first_position,
                        LayerCache* cache) const;

  /// In the order in which activations meet them.
  std::vector<const Slot*> slots() const;
  /// Those whose outputs are added to x as they are: none where norms stand between.
  std::vector<const Slot*> added_slots() const;
  std::vector<const Norm*> norms() const;
  Slot& at(Part part);

 private:
  /// Every head of x (tokens x own heads) through its norm, if there is one, and its positions.
  torch::Tensor placed(const parallel::Communicator& team, const ModelConfig& config,
                       const torch::Tensor& x, const Norm& norm, std::int64_t first_position) const;
  torch::Tensor attention(const parallel::Communicator& team, const ModelConfig& config,
                          const torch::Tensor& x, std::int64_t first_position,
                          LayerCache* cache) const;
  torch::Tensor mlp(const parallel::Communicator& team, const ModelConfig& config,
                    const torch::Tensor& x) const;
};

}  // namespace rankine::models
