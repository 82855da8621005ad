// Writes the weights of a model as a checkpoint: for Hugging Face's software, or in the forms they
// have.
#pragma once

#include <filesystem>
#include <string>

#include "models/export/export_format.hpp"
#include "models/language/language_model.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"

namespace rankine::models {

struct Export {
  std::filesystem::path original;  ///< the folder that the model was read from
  std::filesystem::path folder;    ///< to be written
  ExportFormat format = ExportFormat::dense;
  std::string method = {};                   ///< how the model was compressed, for the manifest
  Precision precision = Precision::float32;  ///< of the model, for the manifest
};

/// Bytes of the tensors of a checkpoint, and of what `model` would be written as; nothing is
/// written. Collective over `world`.
std::uint64_t checkpoint_bytes(const parallel::Communicator& world,
                               const std::filesystem::path& folder);
std::uint64_t checkpoint_bytes(const parallel::Communicator& world,
                               const std::filesystem::path& original, const LanguageModel& model,
                               ExportFormat format);

/// Collective over `world`. The folder gets the tensors of the original, in their types, with the
/// model's present weights in place of the layers' projections; and copies of config.json and the
/// tokenizer's files. Every file appears under its name when it is complete. Throws InputError or
/// ResourceError on all ranks.
void write_checkpoint(const LanguageModel& model, const parallel::Communicator& world,
                      const parallel::Teams& teams, const Export& wanted);

/// Collective over `world`: writes the dense checkpoint that the compressed model in the native
/// folder stands for. Throws InputError on all ranks (not a native folder, tensors that do not fit,
/// the same folder twice) or ResourceError.
void materialize(const parallel::Communicator& world, const std::filesystem::path& native,
                 const std::filesystem::path& output);

}  // namespace rankine::models
