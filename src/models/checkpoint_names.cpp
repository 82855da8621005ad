#include "models/checkpoint_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/errors.hpp"

namespace rankine::models {

namespace {

using Entries = std::vector<files::TensorEntry>;

const files::TensorEntry* find(const Entries& entries, const std::string& name) {
  const auto place = std::find_if(entries.begin(), entries.end(),
                                  [&](const files::TensorEntry& e) { return e.name == name; });
  return place == entries.end() ? nullptr : &*place;
}

CheckpointNames hugging_face_llama() {
  return {.layer_prefix = "model.layers.",
          .embedding = "model.embed_tokens",
          .first_norm = "input_layernorm",
          .query = "self_attn.q_proj",
          .key = "self_attn.k_proj",
          .value = "self_attn.v_proj",
          .attention_output = "self_attn.o_proj",
          .second_norm = "post_attention_layernorm",
          .gate = "mlp.gate_proj",
          .up = "mlp.up_proj",
          .down = "mlp.down_proj",
          .last_norm = "model.norm",
          .head = "lm_head"};
}

CheckpointNames llama2_c() {
  return {.layer_prefix = "layers.",
          .embedding = "tok_embeddings",
          .first_norm = "attention_norm",
          .query = "attention.wq",
          .key = "attention.wk",
          .value = "attention.wv",
          .attention_output = "attention.wo",
          .second_norm = "ffn_norm",
          .gate = "feed_forward.w1",
          .up = "feed_forward.w3",
          .down = "feed_forward.w2",
          .last_norm = "norm",
          .head = "output"};
}

CheckpointNames gpt2(const std::string& prefix) {
  return {.layer_prefix = prefix + "h.",
          .embedding = prefix + "wte",
          .positions = prefix + "wpe",
          .first_norm = "ln_1",
          .query = {},
          .key = {},
          .value = {},
          .joint_attention = "attn.c_attn",
          .attention_output = "attn.c_proj",
          .second_norm = "ln_2",
          .gate = {},
          .up = "mlp.c_fc",
          .down = "mlp.c_proj",
          .last_norm = prefix + "ln_f",
          .head = "lm_head"};
}

void add_llama_layer(std::vector<NeededTensor>& needed, const ModelConfig& c,
                     const CheckpointNames& names, std::int64_t layer) {
  const std::int64_t queries = c.heads * c.head_size, keys = c.key_heads * c.head_size;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    needed.push_back({names.in_layer(layer, name) + ".weight", std::move(shape)});
  };
  add(names.first_norm, {c.width});
  add(names.query, {queries, c.width});
  add(names.key, {keys, c.width});
  add(names.value, {keys, c.width});
  add(names.attention_output, {c.width, queries});
  add(names.second_norm, {c.width});
  add(names.gate, {c.hidden, c.width});
  add(names.up, {c.hidden, c.width});
  add(names.down, {c.width, c.hidden});
}

void add_gpt2_layer(std::vector<NeededTensor>& needed, const ModelConfig& c,
                    const CheckpointNames& names, std::int64_t layer) {
  const auto add = [&](const std::string& name, std::int64_t inputs, std::int64_t outputs) {
    const std::string full = names.in_layer(layer, name);
    if (inputs > 0)
      needed.push_back({full + ".weight", {inputs, outputs}});
    else
      needed.push_back({full + ".weight", {outputs}});
    needed.push_back({full + ".bias", {outputs}});
  };
  add(names.first_norm, 0, c.width);
  add(names.joint_attention, c.width, 3 * c.width);
  add(names.attention_output, c.width, c.width);
  add(names.second_norm, 0, c.width);
  add(names.up, c.width, c.hidden);
  add(names.down, c.hidden, c.width);
}

}  // namespace

CheckpointNames find_names(const ModelConfig& config, const Entries& entries) {
  if (config.family == Family::gpt2)
    return gpt2(find(entries, "transformer.wte.weight") ? "transformer." : "");
  return find(entries, "tok_embeddings.weight") ? llama2_c() : hugging_face_llama();
}

std::vector<NeededTensor> needed_tensors(const ModelConfig& config, const CheckpointNames& names) {
  std::vector<NeededTensor> needed{
      {names.embedding + ".weight", {config.vocabulary_size, config.width}},
      {names.last_norm + ".weight", {config.width}}};
  if (!config.has_tied_head)
    needed.push_back({names.head + ".weight", {config.vocabulary_size, config.width}});
  if (config.family == Family::gpt2) {
    needed.push_back({names.positions + ".weight", {config.context, config.width}});
    needed.push_back({names.last_norm + ".bias", {config.width}});
  }
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    (config.family == Family::gpt2 ? add_gpt2_layer : add_llama_layer)(needed, config, names,
                                                                       layer);
  return needed;
}

void check_tensors(const ModelConfig& config, const CheckpointNames& names,
                   const Entries& entries) {
  std::vector<std::string> problems;
  for (const NeededTensor& tensor : needed_tensors(config, names)) {
    const files::TensorEntry* entry = find(entries, tensor.name);
    if (!entry)
      problems.push_back(fmt::format("the tensor {} is missing", tensor.name));
    else if (entry->shape != tensor.shape)
      problems.push_back(fmt::format("the tensor {} has shape [{}] and not [{}]", tensor.name,
                                     fmt::join(entry->shape, ", "), fmt::join(tensor.shape, ", ")));
  }
  if (problems.empty()) return;
  constexpr std::size_t shown = 5;
  const std::size_t more = problems.size() - std::min(problems.size(), shown);
  problems.resize(problems.size() - more);
  throw InputError(fmt::format(
      "the weights do not fit config.json: {}{}. Take config.json and weights from the same model.",
      fmt::join(problems, "; "), more > 0 ? fmt::format("; and {} more", more) : ""));
}

}  // namespace rankine::models
