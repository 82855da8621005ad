// How the tensors of a model are called in its checkpoint, and which shapes they must have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files/safetensors.hpp"
#include "models/config.hpp"

namespace rankine::models {

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

  std::string in_layer(std::int64_t layer, const std::string& name) const {
    return layer_prefix + std::to_string(layer) + "." + name;
  }
};

/// Hugging Face's names, or llama2.c's where the checkpoint uses them; GPT-2 with or without
/// "transformer." before them.
CheckpointNames find_names(const ModelConfig& config,
                           const std::vector<files::TensorEntry>& entries);

/// Every tensor that the model needs with its shape.
struct NeededTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<NeededTensor> needed_tensors(const ModelConfig& config, const CheckpointNames& names);

/// Throws one InputError that names every tensor which is missing or has another shape (the first
/// ones, if there are many).
void check_tensors(const ModelConfig& config, const CheckpointNames& names,
                   const std::vector<files::TensorEntry>& entries);

}  // namespace rankine::models
