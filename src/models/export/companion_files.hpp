// The files that stand beside the tensors of a checkpoint.
#pragma once

#include <filesystem>
#include <string>

#include "models/checkpoint/manifest.hpp"
#include "models/export/export.hpp"
#include "models/export/export_plan.hpp"

namespace rankine::models {

/// Copies config.json and the tokenizer's files; the factorised format adds its modelling file and
/// names it in config.json. Throws InputError or ResourceError.
void write_companions(const LanguageModel& model, const Export& wanted, const CheckpointPlan& plan);

/// Throws like write_companions.
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
/// One of an earlier model in that folder.
void remove_manifest(const std::filesystem::path& folder);

/// A text file that appears whole. Throws InputError or ResourceError.
void write_text(const std::filesystem::path& path, const std::string& text);

/// The last part of a path, for people.
std::string name_of(const std::filesystem::path& folder);

}  // namespace rankine::models
