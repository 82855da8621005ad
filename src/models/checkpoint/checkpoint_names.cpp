#include "models/checkpoint/checkpoint_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/errors.hpp"

namespace rankine::models {

namespace {

using Entries = std::vector<files::TensorEntry>;

/// `entries` are sorted by name, also where there are millions of them.
Entries::const_iterator first_from(const Entries& entries, const std::string& name) {
  return std::ranges::lower_bound(entries, name, {}, &files::TensorEntry::name);
}

const files::TensorEntry* find(const Entries& entries, const std::string& name) {
  const auto place = first_from(entries, name);
  return place == entries.end() || place->name != name ? nullptr : &*place;
}

/// Whether there is a tensor of the weight, in whatever form.
bool has_tensor_of(const Entries& entries, const std::string& weight) {
  for (auto entry = first_from(entries, weight + ".");
       entry != entries.end() && entry->name.starts_with(weight + "."); ++entry)
    if (entry->name != weight + ".bias") return true;
  return false;
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

std::vector<LayerWeight> layer_weights(const ModelConfig& config, const CheckpointNames& names) {
  const std::int64_t width = config.width, hidden = config.hidden;
  const std::int64_t queries = config.heads * config.head_size;
  const std::int64_t keys = config.key_heads * config.head_size;
  const bool is_gpt2 = config.family == Family::gpt2;
  std::vector<LayerWeight> all;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const auto add = [&](const std::string& part, std::int64_t outputs, std::int64_t inputs,
                         std::int64_t activation) {
      const std::string name = names.in_layer(layer, part);
      all.push_back({name, outputs, inputs, name + ".weight",
                     is_gpt2 ? LayerWeight::Stored::columns : LayerWeight::Stored::rows, 0,
                     4 * layer + activation});
    };
    if (is_gpt2) {
      const std::string joint = names.in_layer(layer, names.joint_attention);
      for (std::int64_t part = 0; part < 3; ++part)
        all.push_back({joint + joint_parts[part], width, width, joint + ".weight",
                       LayerWeight::Stored::columns, part * width, 4 * layer});
    } else {
      add(names.query, queries, width, 0);
      add(names.key, keys, width, 0);
      add(names.value, keys, width, 0);
    }
    add(names.attention_output, width, queries, 1);
    if (!is_gpt2) add(names.gate, hidden, width, 2);
    add(names.up, hidden, width, 2);
    add(names.down, width, hidden, 3);
  }
  return all;
}

namespace {

/// What is wrong with the tensors of a checkpoint.
class TensorCheck {
 public:
  TensorCheck(const ModelConfig& config, const CheckpointNames& names, const Entries& entries)
      : config_(config), names_(names), entries_(entries) {}

  void look_for_forms(const Manifest& manifest) {
    const std::vector<LayerWeight> all = layer_weights(config_, names_);
    for (const LayerWeight& weight : all) {
      in_other_forms_.insert(weight.tensor);
      weights_.insert(weight.name);
      if (manifest.is_native() && !manifest.weights.contains(weight.name))
        note("{} does not list {}", manifest.file, weight.name);
      else if (!has_tensor_of(entries_, weight.name))
        note("the tensors of {} are missing", weight.name);
    }
    for (const auto& [name, stored] : manifest.weights)
      if (!weights_.contains(name)) note("{} lists {}", manifest.file, name);
  }

  void look_for_needed() {
    for (const NeededTensor& tensor : needed_tensors(config_, names_)) {
      if (in_other_forms_.contains(tensor.name)) continue;
      used_.insert(tensor.name);
      if (const files::TensorEntry* entry = find(entries_, tensor.name))
        check(*entry, tensor.shape);
      else
        note("the tensor {} is missing", tensor.name);
    }
  }

  /// The output weight that a tied model has beside the embedding equals it; reading checks that.
  void look_at_the_others() {
    const std::string head = names_.head + ".weight";
    for (const files::TensorEntry& entry : entries_) {
      if (used_.contains(entry.name) || follows_from_config(entry.name) ||
          belongs_to_weight(entry.name))
        continue;
      if (config_.has_tied_head && entry.name == head)
        check(entry, {config_.vocabulary_size, config_.width});
      else
        note("the tensor {} has no place in the model", entry.name);
    }
  }

  void finish() {
    if (problems_.empty()) return;
    constexpr std::size_t shown = 5;
    const std::size_t more = problems_.size() - std::min(problems_.size(), shown);
    problems_.resize(problems_.size() - more);
    throw InputError(fmt::format(
        "the weights do not fit config.json: {}{}. Take config.json and "
        "weights from the same model.",
        fmt::join(problems_, "; "), more > 0 ? fmt::format("; and {} more", more) : ""));
  }

 private:
  template <class... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    problems_.push_back(fmt::format(text, std::forward<Values>(values)...));
  }

  void check(const files::TensorEntry& entry, const std::vector<std::int64_t>& shape) {
    if (entry.shape != shape)
      note("the tensor {} has shape [{}] and not [{}]", entry.name, fmt::join(entry.shape, ", "),
           fmt::join(shape, ", "));
    else if (!files::is_floating_point(entry.type))
      note("the tensor {} holds integers ({})", entry.name, files::name_of(entry.type));
  }

  /// "NAME.left.codes" to the weight "NAME", which has no bias of its own.
  bool belongs_to_weight(const std::string& tensor) const {
    for (auto end = tensor.rfind('.'); end != std::string::npos && end > 0;
         end = tensor.rfind('.', end - 1))
      if (weights_.contains(tensor.substr(0, end))) return tensor.substr(end) != ".bias";
    return false;
  }

  const ModelConfig& config_;
  const CheckpointNames& names_;
  const Entries& entries_;
  std::set<std::string> weights_;         ///< whose tensors are in other forms
  std::set<std::string> in_other_forms_;  ///< the dense tensors that these stand for
  std::set<std::string> used_;
  std::vector<std::string> problems_;
};

}  // namespace

bool follows_from_config(std::string_view name) {
  constexpr std::string_view endings[] = {"rotary_emb.inv_freq", "rope.freqs", "freqs_cos",
                                          "freqs_sin", ".attn.masked_bias"};
  const bool is_mask = name.ends_with(".attn.bias");  // of GPT-2; its layers have no such bias
  return is_mask || std::ranges::any_of(
                        endings, [&](std::string_view ending) { return name.ends_with(ending); });
}

void check_tensors(const ModelConfig& config, const CheckpointNames& names, const Entries& entries,
                   const std::optional<Manifest>& manifest) {
  // Before lists of all layers are made.
  if (config.layers > std::ssize(entries))
    throw InputError(fmt::format(
        "the weights do not fit config.json: {} = {} layers cannot lie in {} tensors. Take "
        "config.json and weights from the same model.",
        config.family == Family::gpt2 ? "n_layer" : "num_hidden_layers", config.layers,
        entries.size()));
  TensorCheck tensors(config, names, entries);
  if (manifest) tensors.look_for_forms(*manifest);
  tensors.look_for_needed();
  tensors.look_at_the_others();
  tensors.finish();
}

}  // namespace rankine::models
