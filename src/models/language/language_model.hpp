// A causal language model held in row blocks by a team of ranks. Its stages are the embedding, the
// layers and the last norm, behind which stand the hidden states; its losses are those of the next
// tokens, whose logits are never whole.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "models/checkpoint/config.hpp"
#include "models/language/transformer_layer.hpp"
#include "models/network.hpp"
#include "models/precision.hpp"
#include "parallel/communicator.hpp"

namespace rankine::models {

/// Keys and values of a sequence that is being continued.
struct KeyValueCache {
  std::int64_t length = 0;  ///< positions filled
  std::int64_t capacity = 0;
  std::vector<LayerCache> layers;
};

class LanguageModel final : public Network {
 public:
  /// Collective over `world`, whose teams each hold the model: reads the checkpoint in `folder`
  /// (config.json and safetensors), every rank its rows. Throws the same error on all ranks:
  /// InputError (files, shapes, architecture) or NumericalError (a weight is not finite).
  /// `team` outlives the model.
  static LanguageModel read(const parallel::Communicator& world, const parallel::Communicator& team,
                            const std::filesystem::path& folder, Precision precision);

  const ModelConfig& config() const { return *config_; }
  const parallel::Communicator& team() const override { return *team_; }
  /// Bytes of tensor values this rank has read.
  std::uint64_t bytes_read() const { return bytes_read_; }

  /// ids (int64, 1-D, in [0, vocabulary_size)) at positions from `first_position` on: the
  /// activations behind the last norm, tokens x width, the same on all ranks. Differentiable unless
  /// a cache is given, which then holds the positions before and gets the new ones. Collective.
  torch::Tensor hidden_states(const torch::Tensor& ids, KeyValueCache* cache = nullptr) const;
  /// The first layer's input for ids at positions from `first_position` on. Collective.
  torch::Tensor embed(const torch::Tensor& ids, std::int64_t first_position = 0) const;
  const std::vector<TransformerLayer>& layers() const { return layers_; }
  /// The weight that makes logits out of hidden states.
  const weights::Weight& head() const { return *head_slot().weight(); }
  /// Its place: that of the embedding where both are tied.
  const Slot& head_slot() const { return head_.exists() ? head_ : embedding_; }
  /// tokens x vocabulary, the same on all ranks; for short sequences. Collective.
  torch::Tensor logits(const torch::Tensor& hidden) const;

  KeyValueCache make_cache(std::int64_t capacity) const;

  std::vector<Stage> stages() const override;
  std::vector<const Slot*> outer_slots() const override;
  torch::Tensor losses(const torch::Tensor& hidden, const torch::Tensor& targets) const override;
  torch::Tensor sample_targets(const torch::Tensor& hidden, std::int64_t count,
                               std::uint64_t stream) const override;
  using Network::losses;
  std::vector<weights::Parameter> parameters() const override;

 private:
  friend class ModelReader;
  LanguageModel() = default;

  /// The bias of a slot, if there is one, and all of a slot, as `parameters` has them.
  void add_bias(std::vector<weights::Parameter>& all, const Slot& slot) const;
  void add_slot(std::vector<weights::Parameter>& all, const Slot& slot) const;

  std::unique_ptr<const ModelConfig> config_;  // autograd nodes point to it
  const parallel::Communicator* team_ = nullptr;
  Slot embedding_;
  torch::Tensor positions_;  ///< context x width, of GPT-2
  std::vector<TransformerLayer> layers_;
  Norm last_norm_;
  Slot head_;  ///< none where the head is tied to the embedding
  std::uint64_t bytes_read_ = 0;
};

/// Sequences of ids as batches: the ids that follow are the targets.
std::vector<Batch> token_batches(const std::vector<std::vector<std::int64_t>>& sequences);

}  // namespace rankine::models
