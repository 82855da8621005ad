#include "models/config.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "core/input_file.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

/// Values of one JSON object, with messages that name the file and the key.
class Values {
 public:
  Values(const json& object, const std::string& file, std::string prefix = "")
      : object_(object), file_(file), prefix_(std::move(prefix)) {}

  bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }
  const json& at(const char* key) const { return object_.at(key); }

  template <class T>
  T get(const char* key) const {
    if (!has(key))
      throw InputError(
          fmt::format("{} does not give {}{} (the model cannot be built without it). "
                      "Get the config.json of the checkpoint.",
                      file_, prefix_, key));
    try {
      return object_.at(key).get<T>();
    } catch (const json::exception&) {
      throw InputError(
          fmt::format("{}: {}{} = {} is of the wrong type. Get the config.json of the "
                      "checkpoint.",
                      file_, prefix_, key, object_.at(key).dump()));
    }
  }
  template <class T>
  T get(const char* key, T otherwise) const {
    return has(key) ? get<T>(key) : otherwise;
  }
  std::int64_t positive(const char* key) const {
    const auto value = get<std::int64_t>(key);
    if (value <= 0 || value > 1'000'000'000) refuse(key, "a size is from 1 to 1e9");
    return value;
  }
  std::int64_t positive(const char* key, std::int64_t otherwise) const {
    return has(key) ? positive(key) : otherwise;
  }

  /// The key may be absent or have the one value that is implemented.
  template <class T>
  void only(const char* key, const T& value) const {
    if (has(key) && at(key) != json(value))
      refuse(key, fmt::format("only {} is supported", json(value).dump()));
  }

  [[noreturn]] void refuse(const char* key, const std::string& why) const {
    throw InputError(fmt::format("{}: {}{} = {} is not supported ({}). Use another checkpoint.",
                                 file_, prefix_, key, has(key) ? at(key).dump() : "null", why));
  }

 private:
  const json& object_;
  const std::string& file_;
  std::string prefix_;
};

std::optional<RopeScaling> read_rope_scaling(const json& scaling, const std::string& file) {
  const Values values(scaling, file, "rope_scaling.");
  const char* key = values.has("rope_type") ? "rope_type" : "type";
  const auto type = values.get<std::string>(key);
  if (type == "default") return std::nullopt;
  if (type != "llama3") values.refuse(key, "\"default\" and \"llama3\" are");
  const RopeScaling result{
      .factor = values.get<double>("factor"),
      .low_freq_factor = values.get<double>("low_freq_factor"),
      .high_freq_factor = values.get<double>("high_freq_factor"),
      .original_context = values.get<double>("original_max_position_embeddings")};
  if (!(result.factor >= 1)) values.refuse("factor", "it is at least 1");
  if (!(result.high_freq_factor > result.low_freq_factor))
    values.refuse("high_freq_factor", "it is above low_freq_factor");
  return result;
}

void read_rope(const Values& values, const std::string& file, ModelConfig& config) {
  config.rope_theta = values.get<double>("rope_theta", 10000.0);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!values.has(key)) continue;
    if (!values.at(key).is_object()) values.refuse(key, "it is an object");
    config.rope_scaling = read_rope_scaling(values.at(key), file);
    config.rope_theta = values.at(key).value("rope_theta", config.rope_theta);
  }
  if (!(config.rope_theta > 1)) values.refuse("rope_theta", "it is above 1");
  const auto pairs = values.get<std::string>("rope_pairs", "halves");
  if (pairs == "adjacent")
    config.rope_pairs = RopePairs::adjacent;
  else if (pairs != "halves")
    values.refuse("rope_pairs", "\"halves\" and \"adjacent\" are");
}

ModelConfig read_llama(const Values& values, const std::string& file) {
  values.only("hidden_act", "silu");
  values.only("attention_bias", false);
  values.only("mlp_bias", false);
  values.only("partial_rotary_factor", 1.0);
  ModelConfig config{.family = Family::llama,
                     .vocabulary_size = values.positive("vocab_size"),
                     .width = values.positive("hidden_size"),
                     .layers = values.positive("num_hidden_layers"),
                     .heads = values.positive("num_attention_heads"),
                     .hidden = values.positive("intermediate_size"),
                     .context = values.positive("max_position_embeddings"),
                     .norm_epsilon = values.get<double>("rms_norm_eps"),
                     .has_tied_head = values.get<bool>("tie_word_embeddings", false)};
  config.key_heads = values.positive("num_key_value_heads", config.heads);
  if (!values.has("head_dim") && config.width % config.heads != 0)
    values.refuse("num_attention_heads", "it does not divide hidden_size");
  config.head_size = values.positive("head_dim", config.width / config.heads);
  if (config.head_size % 2 != 0) values.refuse("head_dim", "rotary positions need an even size");
  if (config.heads % config.key_heads != 0)
    values.refuse("num_key_value_heads", "it does not divide num_attention_heads");
  if (values.has("sliding_window") && values.get<std::int64_t>("sliding_window") < config.context &&
      values.get<bool>("use_sliding_window", true))
    values.refuse("sliding_window", "attention over the whole context is");
  read_rope(values, file, config);
  return config;
}

ModelConfig read_gpt2(const Values& values) {
  const auto activation = values.get<std::string>("activation_function", "gelu_new");
  if (activation != "gelu_new" && activation != "gelu_pytorch_tanh")
    values.refuse("activation_function", "\"gelu_new\" and \"gelu_pytorch_tanh\" are");
  values.only("scale_attn_weights", true);
  values.only("scale_attn_by_inverse_layer_idx", false);
  values.only("add_cross_attention", false);
  ModelConfig config{.family = Family::gpt2,
                     .vocabulary_size = values.positive("vocab_size"),
                     .width = values.positive("n_embd"),
                     .layers = values.positive("n_layer"),
                     .heads = values.positive("n_head"),
                     .context = values.positive("n_positions"),
                     .norm_epsilon = values.get<double>("layer_norm_epsilon", 1e-5),
                     .has_tied_head = values.get<bool>("tie_word_embeddings", true)};
  if (config.width % config.heads != 0) values.refuse("n_head", "it does not divide n_embd");
  config.key_heads = config.heads;
  config.head_size = config.width / config.heads;
  config.hidden = values.positive("n_inner", 4 * config.width);
  return config;
}

/// config.json's model_type, or what its architectures begin with.
std::string model_type(const Values& values) {
  if (values.has("model_type")) return values.get<std::string>("model_type");
  const auto names = values.get<std::vector<std::string>>("architectures", {});
  return names.empty() ? "" : names.front();
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
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object())
    throw InputError(fmt::format(
        "{} is no JSON object (it is truncated or something else). Get the file again.", file));
  const Values values(object, file);
  const std::string type = model_type(values);
  ModelConfig config;
  if (type == "llama" || type == "mistral" || type == "LlamaForCausalLM" ||
      type == "MistralForCausalLM")
    config = read_llama(values, file);
  else if (type == "gpt2" || type == "GPT2LMHeadModel")
    config = read_gpt2(values);
  else
    throw InputError(fmt::format(
        "{}: the architecture \"{}\" is not supported (llama, mistral and gpt2 are). Use another "
        "checkpoint.",
        file, type));
  if (values.has("bos_token_id") && values.at("bos_token_id").is_number_integer())
    config.beginning_of_sequence = values.get<std::int32_t>("bos_token_id");
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
  return parse_config(text, path.string());
}

}  // namespace rankine::models
