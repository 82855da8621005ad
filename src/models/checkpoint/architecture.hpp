// What is known of each architecture of language models: how its config.json and its tensors name
// things, and what its layers compute. Adding one is adding a row to the table in architecture.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::models {

enum class NormKind {
  rms,           ///< w x / rms(x)
  rms_plus_one,  ///< (1 + w) x / rms(x), as Gemma has it
  layer,         ///< w (x - mean) / deviation + b
};

enum class Activation { silu, gelu, gelu_tanh, relu };

/// How queries, keys and values, or gate and up, share a tensor.
enum class Joint {
  none,          ///< each has its own
  side_by_side,  ///< one after the other
  by_head,       ///< query, key and value of each head in turn
};

/// Which layers see a window of the sequence only, where config.json does not list them.
enum class WindowRule {
  every_layer,      ///< Mistral, Phi-3
  from_some_layer,  ///< from max_window_layers on, if use_sliding_window (Qwen)
  but_every_nth,    ///< all but each sliding_window_pattern-th (Gemma 3)
};

/// Names of tensors without ".weight"; empty where there is no such thing.
struct CheckpointNames {
  std::string layer_prefix;  ///< "model.layers."
  std::string embedding;
  std::string positions = {};  ///< learned ones
  std::string first_norm;
  std::string query = {}, key = {}, value = {};
  std::string joint_attention = {};  ///< query, key and value in one
  std::string query_norm = {}, key_norm = {};
  std::string attention_output;
  std::string attention_output_norm = {};  ///< of what attention adds to the stream
  std::string second_norm;
  std::string gate = {}, up = {};
  std::string joint_mlp = {};  ///< gate and up in one
  std::string down;
  std::string mlp_output_norm = {};
  std::string last_norm;
  std::string head;

  /// "model.layers.3"
  std::string of_layer(std::int64_t layer) const { return layer_prefix + std::to_string(layer); }
  std::string in_layer(std::int64_t layer, const std::string& name) const {
    return of_layer(layer) + "." + name;
  }
};

/// Keys of config.json.
struct ConfigKeys {
  const char* width = "hidden_size";
  const char* layers = "num_hidden_layers";
  const char* heads = "num_attention_heads";
  const char* key_heads = "num_key_value_heads";  ///< null: as many as query heads
  const char* head_size = "head_dim";             ///< null: width / heads
  const char* hidden = "intermediate_size";
  const char* context = "max_position_embeddings";
  const char* norm_epsilon = "rms_norm_eps";
  const char* activation = "hidden_act";
  const char* rope_theta = "rope_theta";
  const char* turned_part = "partial_rotary_factor";
  const char* attention_bias = "attention_bias";
  const char* mlp_bias = nullptr;
  const char* parallel = nullptr;
  const char* query_scalar = nullptr;  ///< scores are divided by its root
  const char* local_theta = nullptr;   ///< the base of layers with a window
};

/// What holds where config.json is silent.
struct ConfigDefaults {
  std::int64_t key_heads = 0;  ///< 0: as many as query heads
  std::int64_t head_size = 0;  ///< 0: width / heads
  std::int64_t hidden = 0;     ///< 0: the key must be there; else so many times the width
  std::int64_t context = 2048;
  double norm_epsilon = 1e-6;
  double theta = 10000;
  double turned_part = 1;
  double local_theta = 10000;
  double query_scalar = 0;  ///< 0: the size of a head
  std::optional<std::int64_t> window = {};
  Activation activation = Activation::silu;
  bool attention_bias = false;
  bool is_tied = false;
};

/// A key that may be there with one value only, written as JSON.
struct FixedKey {
  const char* key;
  const char* value;
};

struct Architecture {
  const char* model_type;  ///< in config.json
  const char* class_name;  ///< of Hugging Face's class that predicts tokens
  ConfigKeys keys = {};
  ConfigDefaults defaults = {};
  CheckpointNames names;

  NormKind norm = NormKind::rms;
  Joint joint_attention = Joint::none;
  bool stores_columns = false;  ///< weights of the layers are stored inputs x outputs
  bool has_rotary = true;
  bool is_gated = true;           ///< MLP: down(f(gate x) up x), else down(f(up x))
  bool has_output_bias = false;   ///< attention_bias is of the output projection too
  bool has_mlp_bias = false;      ///< whatever config.json says
  bool scales_embedding = false;  ///< by the root of the width
  std::optional<WindowRule> window_rule = {};
  std::vector<FixedKey> fixed = {};
  /// Keys that change nothing, beside those that change nothing in any architecture.
  std::vector<const char*> harmless = {};
};

/// All of them.
std::span<const Architecture> architectures();

/// By model_type or class; none if there is no such.
const Architecture* find_architecture(std::string_view name);

}  // namespace rankine::models
