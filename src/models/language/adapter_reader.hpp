// A language model as a deck names it: its checkpoint, and an adapter of PEFT's on it.
#pragma once

#include <filesystem>

#include "models/image/model_options.hpp"
#include "models/language/language_model.hpp"

namespace rankine::models {

/// LanguageModel::read and, if one is asked for, its adapter. Collective over `world`; throws like
/// it, and InputError for adapters that do not fit the model.
LanguageModel read_language_model(const parallel::Communicator& world,
                                  const parallel::Communicator& team, const ModelOptions& options);

/// Puts PEFT's adapter in `folder` beside the weights of a model, which keep their forms. OFT
/// becomes Form::rotated: blocks by the Cayley transform, or free ones where PEFT has a series in
/// its place; LoRA becomes Form::updated. Collective over `world`; throws InputError on all ranks.
void apply_adapter(LanguageModel& model, const parallel::Communicator& world,
                   const std::filesystem::path& folder);

}  // namespace rankine::models
