// Windows that an unfinished result file of the same deck holds scored: they are not scored again.
#pragma once

#include <cstdint>
#include <filesystem>

#include "models/evaluation/evaluation.hpp"

namespace rankine::models {

/// How many there are. Throws InputError if the file cannot be read.
std::int64_t count_finished_windows(const std::filesystem::path& file);

/// Their scores and the checksum of the weights they belong to. Throws InputError if they are not
/// those of the job's windows.
EvaluationResult read_finished_windows(const std::filesystem::path& file, const EvaluationJob& job);

}  // namespace rankine::models
