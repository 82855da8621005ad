#include "models/checkpoint/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "files/json_document.hpp"
#include "models/checkpoint/config_keys.hpp"
#include "models/checkpoint/rotary_keys.hpp"

namespace rankine::models {

using nlohmann::json;

namespace {

/// Of a model's sizes.
std::int64_t size(const ConfigSection& values, const char* key,
                  std::optional<std::int64_t> if_absent = {}) {
  return if_absent && !values.has(key) ? *if_absent : values.whole(key, 1, 1'000'000'000);
}

double norm_epsilon(const ConfigSection& values, const Architecture& architecture) {
  const char* key = architecture.keys.norm_epsilon;
  const double value = values.number(key, architecture.defaults.norm_epsilon);
  // A small number that is added to a mean of squares.
  if (value < 0 || value > 1) values.refuse_value(key, "numbers from 0 to 1 are");
  return value;
}

Activation activation(const ConfigSection& values, const Architecture& architecture) {
  const char* key = architecture.keys.activation;
  if (!values.has(key)) return architecture.defaults.activation;
  const std::string name = values.text(key);
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "gelu") return Activation::gelu;
  if (name == "relu") return Activation::relu;
  if (name != "gelu_new" && name != "gelu_pytorch_tanh" && name != "gelu_fast")
    values.refuse_value(key,
                        "\"silu\", \"gelu\", \"gelu_new\", \"gelu_pytorch_tanh\" and \"relu\" are");
  return Activation::gelu_tanh;
}

void read_heads(const ConfigSection& values, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  const ConfigKeys& keys = architecture.keys;
  const ConfigDefaults& defaults = architecture.defaults;
  config.heads = size(values, keys.heads);
  config.key_heads = config.heads;
  if (keys.key_heads && values.contains(keys.key_heads) && !values.has(keys.key_heads))
    config.key_heads = config.heads;  // null
  else if (keys.key_heads)
    config.key_heads =
        size(values, keys.key_heads, defaults.key_heads > 0 ? defaults.key_heads : config.heads);
  const bool has_size = keys.head_size && values.has(keys.head_size);
  if (!has_size && defaults.head_size == 0 && config.width % config.heads != 0)
    values.refuse_value(keys.heads, fmt::format("divisors of {} are", keys.width));
  config.head_size = has_size                 ? size(values, keys.head_size)
                     : defaults.head_size > 0 ? defaults.head_size
                                              : config.width / config.heads;
  if (config.heads % config.key_heads != 0)
    values.refuse_wrong(fmt::format("{} query heads cannot share {} key heads ({})", config.heads,
                                    config.key_heads, keys.key_heads));
  if (config.heads * config.head_size > 1'000'000'000)
    values.refuse_wrong("all heads together have more than 1e9 numbers");
}

void read_biases(const ConfigSection& values, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  const auto flag = [&](const char* key, bool if_absent) {
    return key ? values.flag(key, if_absent) : if_absent;
  };
  config.has_attention_bias =
      flag(architecture.keys.attention_bias, architecture.defaults.attention_bias);
  config.has_output_bias = config.has_attention_bias && architecture.has_output_bias;
  config.has_mlp_bias = flag(architecture.keys.mlp_bias, architecture.has_mlp_bias);
  if (architecture.keys.parallel)
    config.is_parallel = values.flag(architecture.keys.parallel, true);
}

void read_scales(const ConfigSection& values, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  if (architecture.scales_embedding)
    config.embedding_scale = std::sqrt(static_cast<double>(config.width));
  double scalar = static_cast<double>(config.head_size);
  if (const char* key = architecture.keys.query_scalar)
    scalar = values.number(key, architecture.defaults.query_scalar);
  if (scalar <= 0) values.refuse_value(architecture.keys.query_scalar, "numbers above 0 are");
  config.score_scale = 1 / std::sqrt(scalar);
}

/// Whether the architecture's own rule gives a layer a window.
std::vector<bool> ruled_layers(const ConfigSection& values, const ModelConfig& config) {
  std::vector<bool> is_local(static_cast<std::size_t>(config.layers), true);
  const WindowRule rule = *config.architecture->window_rule;
  std::int64_t first = 0, period = config.layers + 1;
  if (rule == WindowRule::from_some_layer && values.has("max_window_layers"))
    first = values.whole("max_window_layers", 0, 1'000'000'000);
  else if (rule == WindowRule::from_some_layer)
    first = 28;
  if (rule == WindowRule::but_every_nth) period = size(values, "sliding_window_pattern", 6);
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    is_local[static_cast<std::size_t>(layer)] = layer >= first && (layer + 1) % period != 0;
  return is_local;
}

std::vector<bool> listed_layers(const ConfigSection& values, const ModelConfig& config) {
  std::vector<bool> is_local;
  for (const std::string& type : values.texts("layer_types")) {
    if (type != "full_attention" && (type != "sliding_attention" || !config.sliding_window))
      values.refuse_value("layer_types",
                          "\"full_attention\" is, and \"sliding_attention\" with a "
                          "sliding_window where the architecture has windows");
    is_local.push_back(type == "sliding_attention");
  }
  if (std::ssize(is_local) != config.layers)
    values.refuse_wrong(
        fmt::format("layer_types speaks of {} layers of {}", is_local.size(), config.layers));
  return is_local;
}

void read_windows(const ConfigSection& values, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  const auto rule = architecture.window_rule;
  config.sliding_window = architecture.defaults.window;
  if (values.contains("sliding_window"))
    config.sliding_window =
        values.has("sliding_window") ? std::optional(size(values, "sliding_window")) : std::nullopt;
  if (!values.flag("use_sliding_window", rule != WindowRule::from_some_layer))
    config.sliding_window = std::nullopt;
  if (config.sliding_window && !rule && *config.sliding_window < config.context)
    values.refuse_value("sliding_window",
                        fmt::format("{} models have none", architecture.model_type));
  if (!rule) config.sliding_window = std::nullopt;
  // Say nothing where there are no windows, or layers are listed.
  if (!config.sliding_window || values.has("layer_types"))
    for (const char* key : {"max_window_layers", "sliding_window_pattern"}) values.has(key);
  if (values.has("layer_types"))
    config.is_local = listed_layers(values, config);
  else if (config.sliding_window)
    config.is_local = ruled_layers(values, config);
}

void read_tokens(const ConfigSection& values, ModelConfig& config) {
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

/// What no architecture here computes otherwise.
constexpr FixedKey always_fixed[] = {
    {"pruned_heads", "{}"}, {"is_encoder_decoder", "false"}, {"add_cross_attention", "false"}};

ModelConfig read_model(const ConfigSection& values, const Architecture& architecture) {
  const ConfigKeys& keys = architecture.keys;
  const ConfigDefaults& defaults = architecture.defaults;
  for (const FixedKey& fixed : always_fixed) values.require(fixed.key, fixed.value);
  for (const FixedKey& fixed : architecture.fixed) values.require(fixed.key, fixed.value);
  ModelConfig config{.architecture = &architecture,
                     .vocabulary_size = size(values, "vocab_size"),
                     .width = size(values, keys.width),
                     .layers = values.whole(keys.layers, 1, 1'000'000),
                     .context = size(values, keys.context, defaults.context),
                     .norm_epsilon = norm_epsilon(values, architecture),
                     .activation = activation(values, architecture),
                     .has_tied_head = values.flag("tie_word_embeddings", defaults.is_tied)};
  config.hidden = defaults.hidden > 0 ? size(values, keys.hidden, defaults.hidden * config.width)
                                      : size(values, keys.hidden);
  read_heads(values, config);
  read_biases(values, config);
  read_scales(values, config);
  read_windows(values, config);
  if (architecture.has_rotary) read_rotary(values, config);
  read_tokens(values, config);
  for (auto& notices : {check_own_code(values, architecture.class_name),
                        check_unknown_keys(values, architecture.harmless)})
    config.notices.insert(config.notices.end(), notices.begin(), notices.end());
  return config;
}

/// config.json's model_type, or what its architectures begin with.
std::string model_type(const ConfigSection& values) {
  if (values.has("model_type")) return values.text("model_type");
  if (!values.has("architectures")) return "";
  const std::vector<std::string> names = values.texts("architectures");
  return names.empty() ? "" : names.front();
}

const Architecture& architecture_of(const ConfigSection& values) {
  const std::string type = model_type(values);
  if (const Architecture* found = find_architecture(type)) return *found;
  std::vector<std::string> known;
  for (const Architecture& row : architectures()) known.push_back(row.model_type);
  throw InputError(fmt::format(
      "Cannot use {} (the architecture \"{}\" is not supported; these are: {}). Use another "
      "checkpoint.",
      values.name(), type, fmt::join(known, ", ")));
}

}  // namespace

std::optional<std::int64_t> ModelConfig::window(std::int64_t layer) const {
  return sliding_window && is_local[static_cast<std::size_t>(layer)] ? sliding_window
                                                                     : std::nullopt;
}

const Rotary* ModelConfig::rotary_of(std::int64_t layer) const {
  if (!architecture->has_rotary) return nullptr;
  return local_rotary && window(layer) ? &*local_rotary : &rotary;
}

std::int64_t ModelConfig::parameters() const {
  const CheckpointNames& names = architecture->names;
  const std::int64_t queries = heads * head_size, keys = key_heads * head_size;
  const std::int64_t norm_size = architecture->norm == NormKind::layer ? 2 * width : width;
  std::int64_t layer = 2 * width * (queries + keys) + (is_gated() ? 3 : 2) * width * hidden;
  if (has_attention_bias) layer += queries + 2 * keys;
  if (has_output_bias) layer += width;
  if (has_mlp_bias) layer += (is_gated() ? 2 : 1) * hidden + width;
  layer += 2 * norm_size;
  if (!names.query_norm.empty()) layer += 2 * head_size;
  if (!names.attention_output_norm.empty()) layer += 2 * norm_size;
  const std::int64_t positions = names.positions.empty() ? 0 : context * width;
  return layers * layer + vocabulary_size * width * (has_tied_head ? 1 : 2) + positions + norm_size;
}

ModelConfig parse_config(std::string_view text, const std::string& file) {
  const std::filesystem::path path = file;
  const json document = files::parse_json(text, fmt::format("'{}'", file));
  const files::JsonSection values(document, "", path);
  refuse_other_formats(values);
  const ConfigSection keys(values);
  keys.has("eos_token_id");  // read below
  ModelConfig config = read_model(keys, architecture_of(keys));
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
