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

CheckpointNames without_prefix(CheckpointNames names, std::string_view prefix) {
  for (std::string* name :
       {&names.layer_prefix, &names.embedding, &names.positions, &names.last_norm})
    if (name->starts_with(prefix)) name->erase(0, prefix.size());
  return names;
}

/// Collects the weights of all layers in the order of their use.
class LayerWeights {
 public:
  LayerWeights(const ModelConfig& config, const CheckpointNames& names)
      : c_(config), names_(names) {}

  std::vector<LayerWeight> all() {
    for (layer_ = 0; layer_ < c_.layers; ++layer_) {
      add_attention();
      add({.part = Part::attention_output,
           .outputs = c_.width,
           .inputs = c_.heads * c_.head_size,
           .has_bias = c_.has_output_bias,
           .activation = 1},
          names_.attention_output);
      add_mlp();
    }
    return std::move(all_);
  }

 private:
  /// Of its architecture's storage, in layer `layer_`; `activation` counts within the layer.
  void add(LayerWeight weight, const std::string& name, const std::string& module = {}) {
    weight.layer = layer_;
    weight.name = names_.in_layer(layer_, name);
    weight.module = module.empty() ? weight.name : names_.in_layer(layer_, module);
    weight.activation += 4 * layer_;
    if (c_.architecture->stores_columns) weight.stored = LayerWeight::Stored::columns;
    if (weight.piece == 0) weight.piece = weight.outputs;
    if (weight.step == 0) weight.step = weight.outputs;
    all_.push_back(std::move(weight));
  }

  void add_attention() {
    const std::int64_t size = c_.head_size;
    std::int64_t before = 0;
    const auto add_part = [&](Part part, std::int64_t heads, const std::string& name,
                              const char* suffix) {
      LayerWeight weight{.part = part,
                         .outputs = heads * size,
                         .inputs = c_.width,
                         .has_bias = c_.has_attention_bias};
      const std::string& joint = names_.joint_attention;
      if (joint.empty()) return add(weight, name);
      weight.first = before;
      if (c_.architecture->joint_attention == Joint::by_head) {
        weight.piece = size;
        weight.step = 3 * size;
        before += size;
      } else {
        before += weight.outputs;
      }
      add(weight, joint + suffix, joint);
    };
    add_part(Part::query, c_.heads, names_.query, ".query");
    add_part(Part::key, c_.key_heads, names_.key, ".key");
    add_part(Part::value, c_.key_heads, names_.value, ".value");
  }

  void add_mlp() {
    LayerWeight inner{.part = Part::gate,
                      .outputs = c_.hidden,
                      .inputs = c_.width,
                      .has_bias = c_.has_mlp_bias,
                      .activation = 2};
    const std::string& joint = names_.joint_mlp;
    if (c_.is_gated()) add(inner, joint.empty() ? names_.gate : joint + ".gate", joint);
    inner.part = Part::up;
    if (!joint.empty()) inner.first = c_.hidden;
    add(inner, joint.empty() ? names_.up : joint + ".up", joint);
    add({.part = Part::down,
         .outputs = c_.width,
         .inputs = c_.hidden,
         .has_bias = c_.has_mlp_bias,
         .activation = 3},
        names_.down);
  }

  const ModelConfig& c_;
  const CheckpointNames& names_;
  std::int64_t layer_ = 0;
  std::vector<LayerWeight> all_;
};

/// Adds the tensors of weights that share one, and their bias.
void add_module(std::vector<NeededTensor>& needed, const LayerWeight& weight) {
  if (needed.empty() || needed.back().module != weight.module) {
    if (weight.has_bias) needed.push_back({weight.bias(), {0}, weight.module});
    needed.push_back({weight.tensor(), {0, 0}, weight.module});
  }
  const bool columns = weight.stored == LayerWeight::Stored::columns;
  std::vector<std::int64_t>& shape = needed.back().shape;
  shape[columns ? 1 : 0] += weight.outputs;
  shape[columns ? 0 : 1] = weight.inputs;
  if (weight.has_bias) needed[needed.size() - 2].shape[0] += weight.outputs;
}

void add_norm(std::vector<NeededTensor>& needed, const ModelConfig& config, const std::string& name,
              std::int64_t size) {
  needed.push_back({name + ".weight", {size}});
  if (config.architecture->norm == NormKind::layer) needed.push_back({name + ".bias", {size}});
}

}  // namespace

CheckpointNames find_names(const ModelConfig& config, const Entries& entries) {
  const CheckpointNames& names = config.architecture->names;
  if (names.layer_prefix == "model.layers." && has_tensor_of(entries, "tok_embeddings"))
    return llama2_c();
  // Files of GPT-2 without its head.
  if (has_tensor_of(entries, "wte")) return without_prefix(names, "transformer.");
  return names;
}

std::vector<NeededTensor> needed_tensors(const ModelConfig& config, const CheckpointNames& names) {
  std::vector<NeededTensor> needed;
  for (const LayerWeight& weight : layer_weights(config, names)) add_module(needed, weight);
  needed.push_back({names.embedding + ".weight", {config.vocabulary_size, config.width}});
  if (!config.has_tied_head)
    needed.push_back({names.head + ".weight", {config.vocabulary_size, config.width}});
  if (!names.positions.empty())
    needed.push_back({names.positions + ".weight", {config.context, config.width}});
  add_norm(needed, config, names.last_norm, config.width);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const std::string* name : {&names.first_norm, &names.attention_output_norm,
                                    &names.second_norm, &names.mlp_output_norm})
      if (!name->empty()) add_norm(needed, config, names.in_layer(layer, *name), config.width);
    for (const std::string* name : {&names.query_norm, &names.key_norm})
      if (!name->empty()) add_norm(needed, config, names.in_layer(layer, *name), config.head_size);
  }
  return needed;
}

std::vector<LayerWeight> layer_weights(const ModelConfig& config, const CheckpointNames& names) {
  return LayerWeights(config, names).all();
}

std::vector<LayerWeight> vocabulary_weights(const ModelConfig& config,
                                            const CheckpointNames& names) {
  const auto weight = [&](Part part, const std::string& name, std::int64_t activation) {
    return LayerWeight{.name = name,
                       .layer = -1,
                       .part = part,
                       .outputs = config.vocabulary_size,
                       .inputs = config.width,
                       .module = name,
                       .piece = config.vocabulary_size,
                       .step = config.vocabulary_size,
                       .activation = activation};
  };
  const std::int64_t behind_layers = 4 * config.layers;
  if (config.has_tied_head) return {weight(Part::head, names.embedding, behind_layers)};
  return {weight(Part::head, names.head, behind_layers),
          weight(Part::embedding, names.embedding, -1)};
}

std::set<std::string> linear_modules(const ModelConfig& config) {
  std::set<std::string> modules;
  for (const LayerWeight& weight : layer_weights(config, config.architecture->names))
    if (weight.is_linear_module()) modules.insert(weight.name);
  return modules;
}

namespace {

/// What is wrong with the tensors of a checkpoint.
class TensorCheck {
 public:
  TensorCheck(const ModelConfig& config, const CheckpointNames& names, const Entries& entries)
      : config_(config), names_(names), entries_(entries) {}

  void look_for_forms(const Manifest& manifest) {
    for (const LayerWeight& weight : layer_weights(config_, names_)) {
      weights_.insert(weight.name);
      if (manifest.is_native() || manifest.weights.contains(weight.name))
        look_for_form(weight, manifest);
    }
    for (const LayerWeight& weight : vocabulary_weights(config_, names_)) {
      if (!manifest.weights.contains(weight.name)) continue;  // dense
      weights_.insert(weight.name);
      look_for_form(weight, manifest);
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
  void look_for_form(const LayerWeight& weight, const Manifest& manifest) {
    in_other_forms_.insert(weight.tensor());
    if (!manifest.weights.contains(weight.name))
      note("{} does not list {}", manifest.file, weight.name);
    else if (!has_tensor_of(entries_, weight.name))
      note("the tensors of {} are missing", weight.name);
  }

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
  constexpr std::string_view endings[] = {"rotary_emb.inv_freq", "rope.freqs",
                                          "freqs_cos",           "freqs_sin",
                                          ".attn.masked_bias",   ".attention.masked_bias"};
  // Of GPT-2 and GPT-NeoX, whose layers have no such bias.
  const bool is_mask = name.ends_with(".attn.bias") || name.ends_with(".attention.bias");
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
        config.architecture->keys.layers, config.layers, entries.size()));
  TensorCheck tensors(config, names, entries);
  if (manifest) tensors.look_for_forms(*manifest);
  tensors.look_for_needed();
  tensors.look_at_the_others();
  tensors.finish();
}

}  // namespace rankine::models
