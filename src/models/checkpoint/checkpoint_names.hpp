// How the tensors of a model are called in its checkpoint, and which shapes they must have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "models/checkpoint/config.hpp"
#include "models/checkpoint/manifest.hpp"

namespace rankine::models {

/// How the parts of GPT-2's joint weight are called, in their order.
inline constexpr const char* joint_parts[] = {".query", ".key", ".value"};

/// Names without ".weight"; "<layer>" prefixes are added by `in_layer`.
struct CheckpointNames {
  std::string layer_prefix;  ///< "model.layers."
  std::string embedding;
  std::string positions = {};  ///< GPT-2 only
  std::string first_norm;
  std::string query, key, value;     ///< Llama
  std::string joint_attention = {};  ///< GPT-2: query, key and value side by side
  std::string attention_output;
  std::string second_norm;
  std::string gate, up, down;  ///< GPT-2 has no gate
  std::string last_norm;
  std::string head;

  /// "model.layers.3"
  std::string of_layer(std::int64_t layer) const { return layer_prefix + std::to_string(layer); }
  std::string in_layer(std::int64_t layer, const std::string& name) const {
    return of_layer(layer) + "." + name;
  }
};

/// Hugging Face's names, or llama2.c's where the checkpoint uses them; GPT-2 with or without
/// "transformer." before them.
CheckpointNames find_names(const ModelConfig& config,
                           const std::vector<files::TensorEntry>& entries);

/// A weight W (outputs x inputs) of the layers and its place in a checkpoint of Hugging Face's
/// layout.
struct LayerWeight {
  /// Which way round the tensor has it.
  enum class Stored { rows, columns };

  std::string name;  ///< as the slot has it (models/slot.hpp)
  std::int64_t outputs;
  std::int64_t inputs;
  std::string tensor;
  Stored stored = Stored::rows;
  /// Its place among the outputs of the tensor; GPT-2 has query, key and value side by side.
  std::int64_t first_output = 0;
  std::int64_t activation = 0;  ///< weights of one number read the same activation
};

/// All of them, layer by layer, in the order of Network::slots().
std::vector<LayerWeight> layer_weights(const ModelConfig& config, const CheckpointNames& names);

/// Every tensor that the model needs with its shape.
struct NeededTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<NeededTensor> needed_tensors(const ModelConfig& config, const CheckpointNames& names);

/// Tables that older software stored with the weights: attention masks, rotary frequencies.
bool follows_from_config(std::string_view tensor);

/// Throws one InputError that names every tensor which is missing, has another shape, holds
/// integers, or has no place in the model (the first ones, if there are many). Tables that follow
/// from config.json (attention masks, rotary frequencies) may be there. With a manifest the weights
/// of the layers are in whatever form: each must be listed and have a tensor; reading them says
/// more. `entries` are sorted by name.
void check_tensors(const ModelConfig& config, const CheckpointNames& names,
                   const std::vector<files::TensorEntry>& entries,
                   const std::optional<Manifest>& manifest = std::nullopt);

}  // namespace rankine::models
