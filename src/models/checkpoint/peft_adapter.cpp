#include "models/checkpoint/peft_adapter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "files/json_document.hpp"
#include "files/json_section.hpp"
#include "files/safetensors/layout.hpp"
#include "weights/rotations/cayley.hpp"

namespace rankine::models {

using files::JsonSection;
using files::TensorEntry;

namespace {

constexpr std::int64_t any = std::numeric_limits<std::int32_t>::max();

/// What no adapter that is read may ask for.
void refuse_variants(const JsonSection& config) {
  for (const char* key : {"fan_in_fan_out", "coft", "use_dora", "use_qalora", "lora_bias"})
    if (config.flag(key, false)) config.refuse_unsupported(fmt::format("{} = true", key));
  if (config.has("bias") && config.text("bias") != "none")
    config.refuse_value("bias", "\"none\" is");
  for (const char* key : {"modules_to_save", "alpha_pattern", "layer_replication"})
    if (config.has(key) && !config.object().at(key).empty()) config.refuse_unsupported(key);
}

PeftConfig oft_config(const JsonSection& config) {
  PeftConfig found{.method = PeftMethod::oft, .block = config.whole("oft_block_size", 0, any)};
  if (config.has("r")) found.blocks = config.whole("r", 0, any);
  if ((found.block == 0) == (found.blocks == 0))
    config.refuse_wrong(
        fmt::format("r is {} and oft_block_size is {}, of which one must be 0 and the other not",
                    found.blocks, found.block));
  found.has_one_block = config.flag("block_share", false);
  if (config.flag("use_cayley_neumann"))
    found.series_terms = config.whole("num_cayley_neumann_terms", 1, 1000);
  return found;
}

PeftConfig lora_config(const JsonSection& config) {
  // Others change the weights under the adapter when it is loaded.
  if (config.has("init_lora_weights") && config.object().at("init_lora_weights").is_string() &&
      config.text("init_lora_weights") != "gaussian")
    config.refuse_value("init_lora_weights", "true, false and \"gaussian\" are");
  return {.method = PeftMethod::lora,
          .alpha = config.number("lora_alpha"),
          .scales_by_root = config.flag("use_rslora", false)};
}

/// The parts of a method's names, each of which every weight has.
std::vector<std::string_view> parts_of(PeftMethod method) {
  if (method == PeftMethod::oft) return {oft_part};
  return {lora_right_part, lora_left_part};
}

class PeftTensors {
 public:
  PeftTensors(const PeftConfig& config, const LayerShapes& shapes,
              const std::vector<TensorEntry>& tensors, const std::filesystem::path& folder)
      : config_(config), shapes_(shapes), tensors_(tensors), folder_(folder) {}

  std::vector<std::string> weights() const {
    std::set<std::string> names;
    for (const TensorEntry& tensor : tensors_) names.insert(weight_of(tensor));
    if (names.empty())
      throw InputError(
          fmt::format("the adapter '{}' has no tensors (it changes nothing). Name another one.",
                      folder_.string()));
    for (const std::string& name : names)
      config_.method == PeftMethod::oft ? check_blocks(name) : check_factors(name);
    return {names.begin(), names.end()};
  }

 private:
  std::string weight_of(const TensorEntry& tensor) const {
    for (const std::string_view part : parts_of(config_.method)) {
      const std::string& name = tensor.name;
      if (!name.starts_with(peft_prefix) || !name.ends_with(part)) continue;
      const std::string weight =
          name.substr(peft_prefix.size(), name.size() - peft_prefix.size() - part.size());
      if (!shapes_.contains(weight))
        throw InputError(fmt::format(
            "the adapter '{}' changes {} (the layers of the model have no such weight). Name in "
            "model.path the base model that the adapter was trained on.",
            folder_.string(), weight));
      return weight;
    }
    throw InputError(fmt::format(
        "the adapter '{}' has the tensor {} (adapters of its kind have tensors {}NAME{} alone). "
        "Save the adapter without it.",
        folder_.string(), tensor.name, peft_prefix,
        fmt::join(parts_of(config_.method), fmt::format(" and {}NAME", peft_prefix))));
  }

  const TensorEntry& at(const std::string& weight, std::string_view part) const {
    const std::string name = fmt::format("{}{}{}", peft_prefix, weight, part);
    for (const TensorEntry& tensor : tensors_)
      if (tensor.name == name) return tensor;
    throw InputError(
        fmt::format("the adapter '{}' lacks the tensor {} (the other part is there). "
                    "Get the adapter again.",
                    folder_.string(), name));
  }

  void require_shape(const TensorEntry& tensor, const std::vector<std::int64_t>& shape) const {
    if (tensor.shape == shape) return;
    throw InputError(fmt::format(
        "the tensor {} of the adapter '{}' has shape [{}] (the weight asks for [{}]). Name in "
        "model.path the base model that the adapter was trained on.",
        tensor.name, folder_.string(), fmt::join(tensor.shape, ", "), fmt::join(shape, ", ")));
  }

  void check_blocks(const std::string& weight) const {
    const std::int64_t inputs = shapes_.at(weight).columns;
    const std::int64_t divisor = config_.block > 0 ? config_.block : config_.blocks;
    if (inputs % divisor != 0)
      throw InputError(
          fmt::format("{} = {} of the adapter '{}' does not divide the {} inputs of {} (its "
                      "tensors have blocks "
                      "of another size). Write in {} the size that they have.",
                      config_.block > 0 ? "oft_block_size" : "r", divisor, folder_.string(), inputs,
                      weight, peft_config_name));
    const std::int64_t size = config_.block > 0 ? config_.block : inputs / config_.blocks;
    const std::int64_t blocks = config_.has_one_block ? 1 : inputs / size;
    require_shape(at(weight, oft_part), {blocks, weights::generator_numbers(size)});
  }

  void check_factors(const std::string& weight) const {
    const weights::MatrixShape& shape = shapes_.at(weight);
    const TensorEntry& right = at(weight, lora_right_part);
    const std::int64_t rank = right.shape.empty() ? 0 : right.shape[0];
    require_shape(right, {std::max<std::int64_t>(rank, 1), shape.columns});
    require_shape(at(weight, lora_left_part), {shape.rows, rank});
  }

  const PeftConfig& config_;
  const LayerShapes& shapes_;
  const std::vector<TensorEntry>& tensors_;
  const std::filesystem::path& folder_;
};

}  // namespace

double PeftConfig::scale(std::int64_t rank) const {
  const auto r = static_cast<double>(rank);
  return alpha / (scales_by_root ? std::sqrt(r) : r);
}

PeftConfig read_peft_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / peft_config_name;
  const nlohmann::json document = files::read_json(path);
  const JsonSection config(document, "", path);
  refuse_variants(config);
  const std::string type = config.text("peft_type");
  if (type == "OFT") return oft_config(config);
  if (type == "LORA") return lora_config(config);
  config.refuse_value("peft_type", "\"OFT\" and \"LORA\" are");
}

LayerShapes layer_shapes(const std::vector<LayerWeight>& weights) {
  LayerShapes shapes;
  for (const LayerWeight& weight : weights) shapes[weight.name] = {weight.outputs, weight.inputs};
  return shapes;
}

std::vector<std::string> adapted_weights(const PeftConfig& config, const LayerShapes& shapes,
                                         const std::vector<TensorEntry>& tensors,
                                         const std::filesystem::path& folder) {
  return PeftTensors(config, shapes, tensors, folder).weights();
}

void check_adapter(const std::filesystem::path& folder, const ModelConfig& config,
                   const CheckpointNames& names) {
  const PeftConfig adapter = read_peft_config(folder);
  const auto layout = files::read_layout(folder / peft_tensors_name);
  adapted_weights(adapter, layer_shapes(layer_weights(config, names)), layout.tensors, folder);
}

std::string notice_of_adapter(const std::filesystem::path& model_folder) {
  if (!input_exists(model_folder / peft_config_name)) return {};
  return fmt::format(
      "'{}' holds an adapter too ({}), which is not used. model.adapter names an adapter to be "
      "used.",
      model_folder.string(), peft_config_name);
}

}  // namespace rankine::models
