// A causal language model held in row blocks by a team of ranks.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "models/checkpoint/config.hpp"
#include "models/language/transformer_layer.hpp"
#include "models/precision.hpp"
#include "parallel/communicator.hpp"

namespace rankine::models {

/// Keys and values of a sequence that is being continued.
struct KeyValueCache {
  std::int64_t length = 0;  ///< positions filled
  std::int64_t capacity = 0;
  std::vector<LayerCache> layers;
};

class LanguageModel {
 public:
  /// Collective over `world`, whose teams each hold the model: reads the checkpoint in `folder`
  /// (config.json and safetensors), every rank its rows. Throws the same error on all ranks:
  /// InputError (files, shapes, architecture) or NumericalError (a weight is not finite).
  /// `team` outlives the model.
  static LanguageModel read(const parallel::Communicator& world, const parallel::Communicator& team,
                            const std::filesystem::path& folder, Precision precision);

  const ModelConfig& config() const { return *config_; }
  const parallel::Communicator& team() const { return *team_; }
  /// Bytes of tensor values this rank has read.
  std::uint64_t bytes_read() const { return bytes_read_; }

  /// ids (int64, 1-D, in [0, vocabulary_size)) at positions from `first_position` on: the
  /// activations behind the last norm, tokens x width, the same on all ranks. Differentiable unless
  /// a cache is given, which then holds the positions before and gets the new ones. Collective.
  torch::Tensor hidden_states(const torch::Tensor& ids, KeyValueCache* cache = nullptr) const;
  /// The first layer's input for ids at positions from `first_position` on. Collective.
  torch::Tensor embed(const torch::Tensor& ids, std::int64_t first_position = 0) const;
  const std::vector<TransformerLayer>& layers() const { return layers_; }
  /// The hidden states of a sequence from the first layer's input on. Collective.
  torch::Tensor run_layers(torch::Tensor x) const;
  /// The weight that makes logits out of hidden states.
  const weights::Weight& head() const { return *head_.weight; }
  /// tokens x vocabulary, the same on all ranks; for short sequences. Collective.
  torch::Tensor logits(const torch::Tensor& hidden) const;

  KeyValueCache make_cache(std::int64_t capacity) const;

  /// Every weight that may be stored in another form: the embedding, then the projections of all
  /// layers, then the head where it is one of its own.
  std::vector<const Projection*> projections() const;
  /// Puts another weight of the same shape and split into the layers' projection of that name.
  /// Throws InputError if there is none, or of another shape.
  void replace_weight(const std::string& projection, std::shared_ptr<weights::Weight> weight);
  /// Everything trainable on this rank, with the names of the checkpoint; where `placement` is
  /// copy, so are the gradients.
  std::vector<weights::Parameter> parameters() const;

 private:
  friend class ModelReader;
  LanguageModel() = default;

  std::unique_ptr<const ModelConfig> config_;  // autograd nodes point to it
  const parallel::Communicator* team_ = nullptr;
  Projection embedding_;
  torch::Tensor positions_;  ///< context x width, of GPT-2
  std::vector<TransformerLayer> layers_;
  Norm last_norm_;
  Projection head_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace rankine::models
