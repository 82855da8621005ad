#include "models/export/peft_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/profile.hpp"
#include "files/output_folder.hpp"
#include "files/safetensors/header.hpp"
#include "models/checkpoint/peft_adapter.hpp"
#include "models/export/companion_files.hpp"
#include "parallel/agreement.hpp"
#include "weights/forms/rotated.hpp"
#include "weights/forms/updated.hpp"
#include "weights/rows/gather_rows.hpp"

namespace rankine::models {

using nlohmann::json;
using torch::Tensor;

namespace {

struct PeftTensor {
  std::string name;
  Tensor values;  ///< float32, contiguous
};

/// What a folder will hold, the same on all ranks.
struct PeftFiles {
  std::set<std::string> modules;
  std::vector<PeftTensor> tensors;
  std::set<std::pair<PeftMethod, std::int64_t>> kinds;  ///< with the block size or the rank

  void add(const std::string& weight, std::string_view part, const Tensor& values) {
    tensors.push_back({fmt::format("{}{}{}", peft_prefix, weight, part),
                       values.detach().to(torch::kFloat32).contiguous()});
  }
};

void add_rotated(PeftFiles& files, const std::string& name, const weights::Rotated& weight) {
  const auto& layers = weight.input_rotation().layers();
  const bool is_oft = weight.output_rotation().is_identity() && layers.size() == 1 &&
                      layers[0].layout.stride == 1 &&
                      layers[0].generator == weights::BlockGenerator::cayley &&
                      !layers[0].signs.defined();
  if (!is_oft)
    throw InputError(fmt::format(
        "the adapter of {} has no form in PEFT (OFT has one layer of orthogonal blocks, on the "
        "inputs). Write the model in its native form: export.format = \"native\".",
        name));
  files.kinds.insert({PeftMethod::oft, layers[0].layout.size});
  files.add(name, oft_part, -layers[0].generators);  // PEFT's R is transposed
}

/// Collective over the team.
void add_updated(PeftFiles& files, const std::string& name, const weights::Updated& weight) {
  files.kinds.insert({PeftMethod::lora, weight.kept_rank()});
  files.add(name, lora_right_part, weight.right());
  files.add(name, lora_left_part,
            weights::gather_rows(weight.team(), weight.own_left(), weight.split()));
}

PeftFiles collect(const LanguageModel& model) {
  PeftFiles files;
  for (const Slot* slot : model.slots()) {
    const weights::Weight* weight = slot->weight().get();
    if (!weight->base()) continue;
    files.modules.insert(slot->name());
    if (const auto* rotated = dynamic_cast<const weights::Rotated*>(weight))
      add_rotated(files, slot->name(), *rotated);
    else
      add_updated(files, slot->name(), dynamic_cast<const weights::Updated&>(*weight));
  }
  std::ranges::sort(files.tensors, {}, &PeftTensor::name);
  return files;
}

void check(const LanguageModel& model, const PeftFiles& files) {
  const std::set<std::string> modules = linear_modules(model.config());
  for (const std::string& name : files.modules)
    if (!modules.contains(name))
      throw InputError(fmt::format(
          "the adapter of {} is not written for PEFT (the weight is no linear module of its own in "
          "transformers). Write the model in its native form: export.format = \"native\".",
          name));
  if (files.kinds.size() == 1) return;
  throw InputError(files.kinds.empty()
                       ? "the model has no adapters (there is nothing to write for PEFT). Leave "
                         "adapter.directory empty."
                       : "the adapters of the model are of several kinds or sizes (a folder of "
                         "PEFT's has one). Write the model in its native form: export.format = "
                         "\"native\".");
}

json config_of(const PeftFiles& files, const std::string& base_model) {
  const auto& [method, size] = *files.kinds.begin();
  json config{{"task_type", "CAUSAL_LM"},        {"base_model_name_or_path", base_model},
              {"target_modules", files.modules}, {"bias", "none"},
              {"inference_mode", true},          {"fan_in_fan_out", false},
              {"modules_to_save", nullptr}};
  if (method == PeftMethod::oft)
    config.update(json{{"peft_type", "OFT"},
                       {"r", 0},
                       {"oft_block_size", size},
                       {"use_cayley_neumann", false},
                       {"num_cayley_neumann_terms", 5},
                       {"coft", false},
                       {"eps", 6e-5},
                       {"block_share", false},
                       {"module_dropout", 0.0}});
  else
    config.update(json{{"peft_type", "LORA"},
                       {"r", size},
                       {"lora_alpha", size},
                       {"lora_dropout", 0.0},
                       {"use_rslora", false},
                       {"use_dora", false}});
  return config;
}

std::string safetensors_of(const std::vector<PeftTensor>& tensors) {
  std::vector<files::TensorEntry> entries;
  for (const PeftTensor& tensor : tensors)
    entries.push_back({.name = tensor.name,
                       .type = files::DataType::float32,
                       .shape = tensor.values.sizes().vec(),
                       .shard = 0,
                       .begin = 0,
                       .bytes = 0});
  std::string bytes = files::compose_header(entries);
  for (const PeftTensor& tensor : tensors)
    bytes.append(static_cast<const char*>(tensor.values.data_ptr()), tensor.values.nbytes());
  return bytes;
}

}  // namespace

bool has_peft_form(const weights::AdapterShape& adapter) {
  if (adapter.kind == weights::AdapterKind::lora) return true;
  return adapter.kind == weights::AdapterKind::cayley &&
         adapter.side == weights::AdapterSide::inputs && adapter.layers == 1;
}

void write_adapter(const LanguageModel& model, const parallel::Communicator& world,
                   const parallel::Teams& teams, const std::filesystem::path& folder,
                   const std::string& base_model) {
  const ProfileStage stage("export");
  // What is refused is the same on all ranks.
  const PeftFiles files =
      parallel::agree_between_teams(world, teams.team(), [&] { return collect(model); });
  parallel::agree_on_failure(world, [&] {
    check(model, files);
    if (world.rank() != 0) return;
    files::check_folder_writable(folder, fmt::format("'{}'", folder.string()));
    std::filesystem::create_directories(folder);
    write_text(folder / peft_tensors_name, safetensors_of(files.tensors));
    write_text(folder / peft_config_name, config_of(files, base_model).dump(2) + "\n");
  });
  log().info("adapter in {}", name_of(folder));
}

}  // namespace rankine::models
