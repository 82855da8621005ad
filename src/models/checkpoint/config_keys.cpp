#include "models/checkpoint/config_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "core/errors.hpp"

namespace rankine::models {

namespace {

constexpr std::string_view changing_nothing[] = {
    // where the model comes from, and how numbers were stored
    "architectures", "cache_implementation", "dtype", "is_llama_config", "max_sequence_length",
    "model_max_length", "model_type", "n_ctx", "name_or_path", "rankine_forms", "torch_dtype",
    "transformers.js_config", "transformers_version", "unsloth_fixed", "unsloth_version",
    "use_bfloat16",
    // training
    "attention_dropout", "attn_pdrop", "classifier_dropout", "embd_pdrop", "gradient_checkpointing",
    "hidden_dropout", "initializer_range", "resid_pdrop",
    // how it is computed, not what
    "attn_implementation", "chunk_size_feed_forward", "pretraining_tp", "reorder_and_upcast_attn",
    "tf_legacy_loss", "torchscript", "use_cache", "xla_device",
    // what a call returns
    "output_attentions", "output_hidden_states", "output_scores", "return_dict",
    "return_dict_in_generate",
    // other tasks than the next token
    "decoder_start_token_id", "finetuning_task", "id2label", "is_decoder", "label2id", "num_labels",
    "prefix", "problem_type", "summary_activation", "summary_first_dropout",
    "summary_proj_to_labels", "summary_type", "summary_use_proj", "task_specific_params",
    "tie_encoder_decoder",
    // the tokenizer
    "pad_token_id", "sep_token_id", "tokenizer_class", "unk_token_id",
    // how texts are generated where nothing else is said; here the deck says it
    "bad_words_ids", "begin_suppress_tokens", "diversity_penalty", "do_sample", "early_stopping",
    "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id",
    "forced_eos_token_id", "length_penalty", "max_length", "min_length", "no_repeat_ngram_size",
    "num_beam_groups", "num_beams", "num_return_sequences", "remove_invalid_values",
    "repetition_penalty", "suppress_tokens", "temperature", "top_k", "top_p", "typical_p"};

/// Parts of names that speak of what a model computes.
constexpr std::string_view of_computing[] = {
    "act",   "alibi",      "attn",        "attention", "bias",  "cap",   "clip",    "conv",
    "embed", "expert",     "head",        "layer",     "logit", "lora",  "mask",    "mixture",
    "moe",   "multiplier", "mup",         "norm",      "pos",   "qk",    "quant",   "residual",
    "rope",  "rotary",     "router",      "scal",      "share", "size",  "softmax", "sparse",
    "ssm",   "state",      "temperature", "theta",     "tie",   "window"};

/// How the weights of a quantised checkpoint were rounded.
std::string quantisation_of(const files::JsonSection& config, const char* key) {
  const nlohmann::json& value = config.object().at(key);
  const auto method = value.is_object() ? value.find("quant_method") : value.end();
  return value.is_object() && method != value.end() && method->is_string()
             ? fmt::format("{}: {}", key, method->get<std::string>())
             : key;
}

}  // namespace

void ConfigSection::require(const std::string& key, std::string_view value) const {
  if (has(key) && section_.object().at(key) != nlohmann::json::parse(value))
    refuse_value(key, fmt::format("only {} is", value));
}

std::vector<std::string> ConfigSection::unknown_keys() const {
  std::vector<std::string> unknown;
  for (const auto& [key, value] : section_.object().items())
    if (!value.is_null() && !key.starts_with('_') && !read_.contains(key)) unknown.push_back(key);
  return unknown;
}

void ConfigSection::refuse_unknown_keys() const {
  for (const std::string& key : unknown_keys()) refuse_unknown(key);
}

void ConfigSection::refuse_unknown(const std::string& key) const {
  throw InputError(fmt::format(
      "Cannot use {} (the key {} = {} is not known, and may change what the model computes). "
      "Remove the key from the file if it does not.",
      name(), key, files::JsonSection::shown(section_.object().at(key))));
}

std::vector<std::string> check_unknown_keys(const ConfigSection& config,
                                            std::span<const char* const> harmless) {
  std::vector<std::string> ignored;
  for (const std::string& key : config.unknown_keys()) {
    if (std::ranges::find(changing_nothing, key) != std::end(changing_nothing) ||
        std::ranges::find(harmless, key) != harmless.end())
      continue;
    if (std::ranges::any_of(of_computing,
                            [&](std::string_view word) { return key.find(word) != key.npos; }))
      config.refuse_unknown(key);
    ignored.push_back(key);
  }
  if (ignored.empty()) return {};
  return {fmt::format("{} has keys that are not known and were ignored: {}.", config.name(),
                      fmt::join(ignored, ", "))};
}

void refuse_other_formats(const files::JsonSection& config) {
  for (const char* key : {"quantization_config", "compression_config", "quantization"})
    if (config.has(key))
      throw InputError(
          fmt::format("Cannot use {} (the checkpoint is quantised, {}; its integers are no "
                      "weights). Take the checkpoint it was made from, or have it dequantised.",
                      config.name(), quantisation_of(config, key)));
}

std::vector<std::string> check_own_code(const ConfigSection& config, const char* class_name) {
  // A factorised folder's own code computes what its forms say (checkpoint/manifest.hpp).
  if (!config.has("auto_map") || config.has("rankine_forms")) return {};
  const ConfigSection map = config.section("auto_map");
  const std::string model =
      map.has("AutoModelForCausalLM") ? map.text("AutoModelForCausalLM") : class_name;
  if (model.substr(model.rfind('.') + 1) != class_name)
    throw InputError(
        fmt::format("Cannot use {} (auto_map names code of the model's own, which decides what it "
                    "computes). Remove the key from the file if the code computes what the stock "
                    "model does.",
                    config.name()));
  return {fmt::format(
      "{} names code of the model's own for {} (auto_map); the stock model is computed.",
      config.name(), class_name)};
}

}  // namespace rankine::models
