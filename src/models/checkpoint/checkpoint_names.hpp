// How the tensors of a model are called in its checkpoint, and which shapes they must have.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "models/checkpoint/config.hpp"
#include "models/checkpoint/manifest.hpp"

namespace rankine::models {

/// Those of the architecture, or llama2.c's where the checkpoint uses them; GPT-2 with or without
/// "transformer." before them.
CheckpointNames find_names(const ModelConfig& config,
                           const std::vector<files::TensorEntry>& entries);

/// What a weight does: in a layer, or at an end of the model.
enum class Part { query, key, value, attention_output, gate, up, down, embedding, head };

/// A weight W (outputs x inputs) and its place in a checkpoint of Hugging Face's layout.
struct LayerWeight {
  /// Which way round the tensor has it.
  enum class Stored { rows, columns };

  std::string name = {};   ///< as the slot has it (models/slot.hpp)
  std::int64_t layer = 0;  ///< -1 outside the layers
  Part part = Part::query;
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
  /// Without ".weight" and ".bias"; several weights may share it.
  std::string module = {};
  Stored stored = Stored::rows;
  /// Its outputs among those of the tensor: `piece` of them from every `step`-th on.
  std::int64_t first = 0;
  std::int64_t piece = 0;
  std::int64_t step = 0;
  bool has_bias = false;
  std::int64_t activation = 0;  ///< weights of one number read the same activation; -1 for ids

  std::string tensor() const { return module + ".weight"; }
  std::string bias() const { return module + ".bias"; }
  /// Where the tensor has output `row`.
  std::int64_t place(std::int64_t row) const { return first + row / piece * step + row % piece; }
  /// Whether it is a linear module of Hugging Face's layers for itself.
  bool is_linear_module() const { return layer >= 0 && name == module && stored == Stored::rows; }
};

/// All of the layers, one layer after the other, in the order of Network::slots().
std::vector<LayerWeight> layer_weights(const ModelConfig& config, const CheckpointNames& names);

/// Those with a row for every token: what makes logits, and the embedding where that is another
/// weight; in the order of Network::outer_slots(). A tied one has the name of the embedding.
std::vector<LayerWeight> vocabulary_weights(const ModelConfig& config,
                                            const CheckpointNames& names);

/// The names of those of the layers that are linear modules in Hugging Face's software for the
/// architecture.
std::set<std::string> linear_modules(const ModelConfig& config);

/// Every tensor that the model needs with its shape.
struct NeededTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string module = {};  ///< of a weight of the layers
};
std::vector<NeededTensor> needed_tensors(const ModelConfig& config, const CheckpointNames& names);

/// Tables that older software stored with the weights: attention masks, rotary frequencies.
bool follows_from_config(std::string_view tensor);

/// Throws one InputError that names every tensor which is missing, has another shape, holds
/// integers, or has no place in the model (the first ones, if there are many). Tables that follow
/// from config.json (attention masks, rotary frequencies) may be there. With a manifest the weights
/// are in whatever form: each of the layers must be listed and have a tensor, and so must those of
/// the vocabulary that are listed; reading them says more. `entries` are sorted by name.
void check_tensors(const ModelConfig& config, const CheckpointNames& names,
                   const std::vector<files::TensorEntry>& entries,
                   const std::optional<Manifest>& manifest = std::nullopt);

}  // namespace rankine::models
