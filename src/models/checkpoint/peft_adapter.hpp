// Adapters in the files of Hugging Face's PEFT: what adapter_config.json says, and which weights
// the tensors of adapter_model.safetensors belong to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "weights/forms/factor_cost.hpp"

namespace rankine::models {

inline constexpr const char* peft_config_name = "adapter_config.json";
inline constexpr const char* peft_tensors_name = "adapter_model.safetensors";
/// Before the name of a weight, and after it.
inline constexpr std::string_view peft_prefix = "base_model.model.";
inline constexpr std::string_view oft_part = ".oft_R.weight";
inline constexpr std::string_view lora_right_part = ".lora_A.weight";
inline constexpr std::string_view lora_left_part = ".lora_B.weight";

enum class PeftMethod { oft, lora };

struct PeftConfig {
  PeftMethod method = PeftMethod::oft;
  // Of OFT: the size of the blocks or their number, the other being 0.
  std::int64_t block = 0;
  std::int64_t blocks = 0;
  bool has_one_block = false;  ///< for all groups
  /// R as a series in Q of so many terms; nothing for the exact Cayley transform.
  std::optional<std::int64_t> series_terms = std::nullopt;
  // Of LoRA: the scale is alpha / r, or alpha / sqrt(r).
  double alpha = 1;
  bool scales_by_root = false;

  double scale(std::int64_t rank) const;
};

/// Throws InputError, naming file and key: another method, a variant that is not supported, keys
/// that are missing.
PeftConfig read_peft_config(const std::filesystem::path& folder);

/// Of the weights of the layers, by their names.
using LayerShapes = std::map<std::string, weights::MatrixShape>;
LayerShapes layer_shapes(const std::vector<LayerWeight>& weights);

/// The weights that the adapter in `folder` changes, by name. Throws InputError, naming the tensor:
/// weights that the model does not have, other shapes.
std::vector<std::string> adapted_weights(const PeftConfig& config, const LayerShapes& shapes,
                                         const std::vector<files::TensorEntry>& tensors,
                                         const std::filesystem::path& folder);

/// All of that, before a model is loaded.
void check_adapter(const std::filesystem::path& folder, const ModelConfig& config,
                   const CheckpointNames& names);

/// A message for the log where a model's folder holds an adapter too; an empty text where not.
std::string notice_of_adapter(const std::filesystem::path& model_folder);

}  // namespace rankine::models
