// Writes a compressed model as a checkpoint that Hugging Face's software loads.
#pragma once

#include <filesystem>

#include "models/language_model.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"

namespace rankine::compress {

/// How compressed weights are written: as the dense matrices they stand for, or as the tensors they
/// store, with a modelling file that runs them (low-rank and pivoted forms).
enum class ExportFormat { dense, factorised };

/// Collective over `world`. `folder` gets the tensors of `original` under their names, in their
/// types and shapes, with the model's present weights in place of the layers' projections; and
/// copies of config.json and the tokenizer's files. Every file appears under its name when it is
/// complete. Throws InputError or ResourceError on all ranks.
void write_checkpoint(const models::LanguageModel& model, const parallel::Communicator& world,
                      const parallel::Teams& teams, const std::filesystem::path& original,
                      const std::filesystem::path& folder, ExportFormat format);

}  // namespace rankine::compress
