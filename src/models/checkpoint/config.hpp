// What config.json says of a language model: its architecture, its sizes, and what its layers
// compute.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/architecture.hpp"

namespace rankine::models {

/// Which two numbers of a head a rotary embedding turns: (i, i + half) as in Hugging Face's layout,
/// or (2 i, 2 i + 1) as in the original one.
enum class RopePairs { halves, adjacent };

/// Llama 3's stretching of low frequencies (Hugging Face rope_type "llama3").
struct RopeScaling {
  double factor;
  double low_freq_factor;
  double high_freq_factor;
  double original_context;
};

/// How positions turn queries and keys.
struct Rotary {
  double theta = 10000;
  std::int64_t turned = 0;  ///< the first numbers of a head, which are turned
  RopePairs pairs = RopePairs::halves;
  double stretch = 1;  ///< positions are divided by it (rope_type "linear")
  std::optional<RopeScaling> scaling = {};
  std::vector<double> divisors = {};  ///< of each frequency (rope_type "longrope")
  double magnitude = 1;               ///< of what is turned (rope_type "longrope")
};

struct ModelConfig {
  const Architecture* architecture = &architectures().front();
  std::int64_t vocabulary_size = 0;
  std::int64_t width = 0;  ///< numbers per token between layers
  std::int64_t layers = 0;
  std::int64_t heads = 0;      ///< query heads
  std::int64_t key_heads = 0;  ///< heads of keys and values; divides heads
  std::int64_t head_size = 0;
  std::int64_t hidden = 0;   ///< inner width of the MLP
  std::int64_t context = 0;  ///< longest sequence, in tokens
  double norm_epsilon = 0;
  Activation activation = Activation::silu;
  bool has_attention_bias = false;  ///< of queries, keys and values
  bool has_output_bias = false;     ///< of the attention's output
  bool has_mlp_bias = false;
  bool is_parallel = false;    ///< attention and MLP read the same stream
  double embedding_scale = 1;  ///< what embeddings are multiplied by
  double score_scale = 1;      ///< what products of queries and keys are multiplied by
  Rotary rotary = {};
  std::optional<Rotary> local_rotary = {};  ///< of layers with a window, where it is another
  /// Tokens that a token sees, itself among them, in the layers that `is_local` marks.
  std::optional<std::int64_t> sliding_window = {};
  std::vector<bool> is_local = {};
  bool has_tied_head = false;                              ///< the output weight is the embedding
  std::optional<std::int32_t> beginning_of_sequence = {};  ///< the token bos_token_id
  std::vector<std::int32_t> end_of_sequence = {};          ///< the tokens eos_token_id
  /// What the user should know: keys that are not known, a context cut short.
  std::vector<std::string> notices = {};

  bool is_gated() const { return architecture->is_gated; }
  /// How many tokens a token of this layer sees at most; none: all.
  std::optional<std::int64_t> window(std::int64_t layer) const;
  /// Null for learned positions.
  const Rotary* rotary_of(std::int64_t layer) const;
  /// Parameters of the dense model.
  std::int64_t parameters() const;
};

/// Reads the text of a config.json; `file` is its name in messages. Throws InputError that names
/// the architecture, or the key whose value is not supported, missing, of a wrong type or
/// contradictory, or whose meaning is not known.
ModelConfig parse_config(std::string_view json, const std::string& file);

/// The same from the folder of a model, with the end tokens of its generation_config.json.
ModelConfig read_config(const std::filesystem::path& folder);

}  // namespace rankine::models
