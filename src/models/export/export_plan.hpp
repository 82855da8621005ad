// What a checkpoint to be written consists of.
#pragma once

#include <optional>
#include <vector>

#include "files/safetensors/safetensors.hpp"
#include "models/checkpoint/checkpoint_names.hpp"
#include "models/export/export.hpp"

namespace rankine::models {

/// Weights that share a tensor in Hugging Face's layout: one, or query, key and value
/// of GPT-2, say.
struct TensorGroup {
  std::vector<LayerWeight> places;
  std::vector<const weights::Weight*> weights;
  files::DataType dense_type;  ///< of the original's matrix
  bool keeps_forms = false;    ///< whether the weights are written as they are stored
  /// Of the numbers of weights that keep their form.
  std::vector<files::DataType> stored_types = {};

  /// Whether the tensor has the rows or columns that are left of a narrowed matrix, and no others.
  bool is_narrow = false;

  std::int64_t outputs() const;
  /// The tensor in Hugging Face's layout.
  files::TensorPlan dense_plan() const;
};

struct CheckpointPlan {
  std::vector<files::TensorEntry> copied;  ///< tensors of the original that stay as they are
  std::vector<TensorGroup> groups;         ///< all weights of layers and vocabulary
  /// Hidden units of every MLP, where all are narrowed alike and are written that narrow.
  std::optional<std::int64_t> hidden = {};

  /// Every tensor to be written, by name.
  std::vector<files::TensorPlan> tensors() const;
};

/// Collective over the team of `model`; `reader` has the original, whose manifest is given if it is
/// in native form.
CheckpointPlan plan_checkpoint(const LanguageModel& model, const files::SafetensorsReader& reader,
                               const std::optional<Manifest>& manifest, ExportFormat format);

/// What the manifest of such a checkpoint says of each weight.
std::map<std::string, StoredForm> stored_forms(const CheckpointPlan& plan);

}  // namespace rankine::models
