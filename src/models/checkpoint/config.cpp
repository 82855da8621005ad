#include "models/checkpoint/config.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "files/json_document.hpp"
#include "models/checkpoint/config_keys.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

constexpr std::string_view llama_keys[] = {"attention_bias",
                                           "bos_token_id",
                                           "eos_token_id",
                                           "head_dim",
                                           "hidden_act",
                                           "hidden_size",
                                           "intermediate_size",
                                           "layer_types",
                                           "max_position_embeddings",
                                           "max_window_layers",
                                           "mlp_bias",
                                           "num_attention_heads",
                                           "num_hidden_layers",
                                           "num_key_value_heads",
                                           "partial_rotary_factor",
                                           "pruned_heads",
                                           "rms_norm_eps",
                                           "rope_interleaved",
                                           "rope_pairs",
                                           "rope_parameters",
                                           "rope_scaling",
                                           "rope_theta",
                                           "sliding_window",
                                           "tie_word_embeddings",
                                           "use_sliding_window",
                                           "vocab_size",
                                           "is_encoder_decoder",
                                           "add_cross_attention"};

constexpr std::string_view gpt2_keys[] = {"activation_function",
                                          "add_cross_attention",
                                          "bos_token_id",
                                          "eos_token_id",
                                          "is_encoder_decoder",
                                          "layer_norm_epsilon",
                                          "n_embd",
                                          "n_head",
                                          "n_inner",
                                          "n_layer",
                                          "n_positions",
                                          "pruned_heads",
                                          "scale_attn_weights",
                                          "tie_word_embeddings",
                                          "vocab_size",
                                          "scale_attn_by_inverse_layer_idx"};

/// A size of the model.
std::int64_t size(const files::JsonSection& values, const char* key) {
  return values.whole(key, 1, 1'000'000'000);
}
std::int64_t size(const files::JsonSection& values, const char* key, std::int64_t if_absent) {
  return values.has(key) ? size(values, key) : if_absent;
}

/// The key may be absent or have the one value that is implemented.
void require(const files::JsonSection& values, const char* key, const json& value) {
  if (values.has(key) && values.object().at(key) != value)
    values.refuse_value(key, fmt::format("only {} is", value.dump()));
}

/// A small number that is added to a mean of squares.
double epsilon(const files::JsonSection& values, const char* key) {
  const double value = values.number(key);
  if (value < 0 || value > 1) values.refuse_value(key, "numbers from 0 to 1 are");
  return value;
}

void read_common(const files::JsonSection& values, ModelConfig& config) {
  require(values, "pruned_heads", json::object());
  require(values, "is_encoder_decoder", false);
  require(values, "add_cross_attention", false);
  if (config.heads * config.head_size > 1'000'000'000)
    values.refuse_wrong("all heads together have more than 1e9 numbers");
  const std::int64_t last = config.vocabulary_size - 1;
  if (values.has("bos_token_id"))
    config.beginning_of_sequence = static_cast<std::int32_t>(values.whole("bos_token_id", 0, last));
}

/// The tokens eos_token_id, if there are any.
void read_end_tokens(const files::JsonSection& values, ModelConfig& config) {
  if (!values.has("eos_token_id")) return;
  const auto ids = values.wholes("eos_token_id", 0, config.vocabulary_size - 1);
  config.end_of_sequence.assign(ids.begin(), ids.end());
}

/// "rope_type", which older files call "type".
std::string rope_type(const files::JsonSection& rope) {
  const std::string type = rope.has("type") ? rope.text("type") : "default";
  if (!rope.has("rope_type")) return type;
  if (rope.has("type") && type != rope.text("rope_type"))
    rope.refuse_value("rope_type", fmt::format("\"type\" beside it says \"{}\"", type));
  return rope.text("rope_type");
}

std::optional<RopeScaling> read_rope_scaling(const files::JsonSection& rope) {
  constexpr std::string_view of_all[] = {"rope_type", "type", "rope_theta",
                                         "partial_rotary_factor"};
  constexpr std::string_view of_llama3[] = {"factor", "low_freq_factor", "high_freq_factor",
                                            "original_max_position_embeddings"};
  const std::string type = rope_type(rope);
  if (type != "default" && type != "llama3")
    rope.refuse_value(rope.has("rope_type") ? "rope_type" : "type",
                      "\"default\" and \"llama3\" are");
  require(rope, "partial_rotary_factor", 1.0);
  if (type == "default") {
    refuse_unknown_keys(rope, {of_all});
    return std::nullopt;
  }
  refuse_unknown_keys(rope, {of_all, of_llama3});
  const RopeScaling result{.factor = rope.number("factor"),
                           .low_freq_factor = rope.number("low_freq_factor"),
                           .high_freq_factor = rope.number("high_freq_factor"),
                           .original_context = rope.number("original_max_position_embeddings")};
  if (result.factor < 1) rope.refuse_value("factor", "numbers from 1 on are");
  if (result.low_freq_factor <= 0) rope.refuse_value("low_freq_factor", "numbers above 0 are");
  if (result.high_freq_factor <= result.low_freq_factor)
    rope.refuse_value("high_freq_factor", "numbers above low_freq_factor are");
  if (result.original_context < 1)
    rope.refuse_value("original_max_position_embeddings", "numbers from 1 on are");
  return result;
}

void read_rope(const files::JsonSection& values, ModelConfig& config) {
  require(values, "partial_rotary_factor", 1.0);
  require(values, "rope_interleaved", false);
  // Newer files have all of it in one object; where two places speak, they must agree.
  const bool both = values.has("rope_scaling") && values.has("rope_parameters");
  if (both && values.object().at("rope_scaling") != values.object().at("rope_parameters"))
    values.refuse_wrong("rope_scaling and rope_parameters contradict each other");
  std::optional<double> theta;
  if (values.has("rope_theta")) theta = values.number("rope_theta");
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!values.has(key)) continue;
    const files::JsonSection rope = values.section(key);
    config.rope_scaling = read_rope_scaling(rope);
    if (!rope.has("rope_theta")) continue;
    if (theta && *theta != rope.number("rope_theta"))
      values.refuse_value("rope_theta", fmt::format("{}.rope_theta contradicts it", key));
    theta = rope.number("rope_theta");
  }
  config.rope_theta = theta.value_or(10000.0);
  if (config.rope_theta <= 1)
    values.refuse_wrong(fmt::format("rope_theta = {} is not above 1", config.rope_theta));
  const std::string pairs = values.has("rope_pairs") ? values.text("rope_pairs") : "halves";
  if (pairs == "adjacent")
    config.rope_pairs = RopePairs::adjacent;
  else if (pairs != "halves")
    values.refuse_value("rope_pairs", "\"halves\" and \"adjacent\" are");
}

/// `of_the_family` is the window where the file does not speak of it.
void read_sliding_window(const files::JsonSection& values,
                         std::optional<std::int64_t> of_the_family, ModelConfig& config) {
  std::optional<std::int64_t> window = of_the_family;
  if (values.object().contains("sliding_window"))
    window =
        values.has("sliding_window") ? std::optional(size(values, "sliding_window")) : std::nullopt;
  if (!values.flag("use_sliding_window", true)) window = std::nullopt;
  if (values.has("layer_types"))
    for (const std::string& type : values.texts("layer_types"))
      if (type != "full_attention" && (type != "sliding_attention" || !window))
        values.refuse_value("layer_types",
                            "\"full_attention\" is, and \"sliding_attention\" with "
                            "a sliding_window");
  if (window && *window < config.context) config.sliding_window = window;
}

ModelConfig read_llama(const files::JsonSection& values,
                       std::optional<std::int64_t> sliding_window) {
  refuse_unknown_keys(values, {llama_keys, harmless_keys});
  require(values, "hidden_act", "silu");
  require(values, "attention_bias", false);
  require(values, "mlp_bias", false);
  ModelConfig config{.family = Family::llama,
                     .vocabulary_size = size(values, "vocab_size"),
                     .width = size(values, "hidden_size"),
                     .layers = size(values, "num_hidden_layers"),
                     .heads = size(values, "num_attention_heads"),
                     .hidden = size(values, "intermediate_size"),
                     .context = size(values, "max_position_embeddings"),
                     .norm_epsilon = epsilon(values, "rms_norm_eps"),
                     .has_tied_head = values.flag("tie_word_embeddings", false)};
  config.key_heads = size(values, "num_key_value_heads", config.heads);
  if (!values.has("head_dim") && config.width % config.heads != 0)
    values.refuse_value("num_attention_heads", "divisors of hidden_size are");
  config.head_size = size(values, "head_dim", config.width / config.heads);
  if (config.head_size % 2 != 0)
    values.refuse_wrong(fmt::format("heads have {} numbers, and rotary positions need an even size",
                                    config.head_size));
  if (config.heads % config.key_heads != 0)
    values.refuse_value("num_key_value_heads", "divisors of num_attention_heads are");
  read_sliding_window(values, sliding_window, config);
  read_rope(values, config);
  read_common(values, config);
  return config;
}

ModelConfig read_gpt2(const files::JsonSection& values) {
  refuse_unknown_keys(values, {gpt2_keys, harmless_keys});
  const std::string activation =
      values.has("activation_function") ? values.text("activation_function") : "gelu_new";
  if (activation != "gelu_new" && activation != "gelu_pytorch_tanh")
    values.refuse_value("activation_function", "\"gelu_new\" and \"gelu_pytorch_tanh\" are");
  require(values, "scale_attn_weights", true);
  require(values, "scale_attn_by_inverse_layer_idx", false);
  ModelConfig config{.family = Family::gpt2,
                     .vocabulary_size = size(values, "vocab_size"),
                     .width = size(values, "n_embd"),
                     .layers = size(values, "n_layer"),
                     .heads = size(values, "n_head"),
                     .context = size(values, "n_positions"),
                     .norm_epsilon = values.has("layer_norm_epsilon")
                                         ? epsilon(values, "layer_norm_epsilon")
                                         : 1e-5,
                     .has_tied_head = values.flag("tie_word_embeddings", true)};
  if (config.width % config.heads != 0) values.refuse_value("n_head", "divisors of n_embd are");
  config.key_heads = config.heads;
  config.head_size = config.width / config.heads;
  config.hidden = size(values, "n_inner", 4 * config.width);
  read_common(values, config);
  return config;
}

/// config.json's model_type, or what its architectures begin with.
std::string model_type(const files::JsonSection& values) {
  if (values.has("model_type")) return values.text("model_type");
  if (!values.has("architectures")) return "";
  const std::vector<std::string> names = values.texts("architectures");
  return names.empty() ? "" : names.front();
}

ModelConfig read_family(const files::JsonSection& values) {
  const std::string type = model_type(values);
  if (type == "llama" || type == "LlamaForCausalLM") return read_llama(values, std::nullopt);
  if (type == "mistral" || type == "MistralForCausalLM") return read_llama(values, 4096);
  if (type == "gpt2" || type == "GPT2LMHeadModel") return read_gpt2(values);
  throw InputError(
      fmt::format("Cannot use {} (the architecture \"{}\" is not supported; llama, mistral and "
                  "gpt2 are). Use another checkpoint.",
                  values.name(), type));
}

}  // namespace

std::int64_t ModelConfig::parameters() const {
  const std::int64_t queries = heads * head_size, keys = key_heads * head_size;
  const bool llama = family == Family::llama;
  const std::int64_t attention = 2 * width * (queries + keys) + (llama ? 0 : 4 * width);
  const std::int64_t mlp = llama ? 3 * width * hidden : 2 * width * hidden + hidden + width;
  const std::int64_t norms = llama ? 2 * width : 4 * width;
  const std::int64_t outside = vocabulary_size * width * (has_tied_head ? 1 : 2) +
                               (llama ? width : context * width + 2 * width);
  return layers * (attention + mlp + norms) + outside;
}

ModelConfig parse_config(std::string_view text, const std::string& file) {
  const std::filesystem::path path = file;
  const json document = files::parse_json(text, fmt::format("'{}'", file));
  const files::JsonSection values(document, "", path);
  refuse_other_formats(values);
  ModelConfig config = read_family(values);
  read_end_tokens(values, config);
  return config;
}

ModelConfig read_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  std::string text;
  try {
    text = read_input(path);
  } catch (const UnreadableInput& error) {
    throw InputError(
        fmt::format("{} cannot be read ({}). It says what the model is; name the folder of a "
                    "checkpoint in model.path.",
                    path.string(), error.reason()));
  }
  ModelConfig config = parse_config(text, path.string());
  // Where both files name end tokens, this is the one that Hugging Face's software goes by.
  const std::filesystem::path generation = folder / "generation_config.json";
  if (input_exists(generation)) {
    const json document = files::read_json(generation);
    read_end_tokens(files::JsonSection(document, "", generation), config);
  }
  return config;
}

}  // namespace rankine::models
