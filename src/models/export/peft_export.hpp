// Writes the adapters of a model as a folder of PEFT's.
#pragma once

#include <filesystem>
#include <string>

#include "models/language/language_model.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "weights/making/adapter.hpp"

namespace rankine::models {

/// Whether PEFT has such adapters: LoRA, and one layer of orthogonal blocks on the inputs (OFT).
bool has_peft_form(const weights::AdapterShape& adapter);

/// Writes adapter_config.json and adapter_model.safetensors of all weights that have an adapter,
/// which are of one kind and size; `base_model` is what the former names. Collective over `world`;
/// the folder is made if need be. Throws InputError (no adapters, such as PEFT has none of) or
/// ResourceError on all ranks.
void write_adapter(const LanguageModel& model, const parallel::Communicator& world,
                   const parallel::Teams& teams, const std::filesystem::path& folder,
                   const std::string& base_model);

}  // namespace rankine::models
