// What config.json says of a language model: its family and its sizes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::models {

enum class Family {
  llama,  ///< RMSNorm, rotary positions, grouped-query attention, SwiGLU (Llama, Mistral, SmolLM2)
  gpt2,   ///< LayerNorm, learned positions, GELU, weights stored inputs x outputs
};

/// Which two numbers of a head a rotary embedding turns: (i, i + head_size / 2) as in Hugging
/// Face's layout, or (2 i, 2 i + 1) as in the original one.
enum class RopePairs { halves, adjacent };

/// Llama 3's stretching of low frequencies (Hugging Face rope_type "llama3").
struct RopeScaling {
  double factor;
  double low_freq_factor;
  double high_freq_factor;
  double original_context;
};

struct ModelConfig {
  Family family = Family::llama;
  std::int64_t vocabulary_size = 0;
  std::int64_t width = 0;  ///< numbers per token between layers
  std::int64_t layers = 0;
  std::int64_t heads = 0;      ///< query heads
  std::int64_t key_heads = 0;  ///< heads of keys and values; divides heads
  std::int64_t head_size = 0;
  std::int64_t hidden = 0;   ///< inner width of the MLP
  std::int64_t context = 0;  ///< longest sequence, in tokens
  /// Tokens that a token sees, itself among them, where that is less than the context.
  std::optional<std::int64_t> sliding_window = {};
  double norm_epsilon = 0;
  double rope_theta = 0;
  std::optional<RopeScaling> rope_scaling = {};
  RopePairs rope_pairs = RopePairs::halves;
  bool has_tied_head = false;                              ///< the output weight is the embedding
  std::optional<std::int32_t> beginning_of_sequence = {};  ///< the token bos_token_id
  std::vector<std::int32_t> end_of_sequence = {};          ///< the tokens eos_token_id

  /// The longest sequence in which every token sees all tokens before it, as the layers compute.
  std::int64_t longest_sequence() const { return sliding_window.value_or(context); }
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
