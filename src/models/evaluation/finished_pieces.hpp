// Windows and items that an unfinished result file of the same deck holds scored: they are not
// scored again.
#pragma once

#include <cstdint>
#include <filesystem>

#include "models/evaluation/evaluation.hpp"

namespace rankine::models {

/// How many there are. Throws as read_finished_pieces does.
std::int64_t count_finished_pieces(const std::filesystem::path& file, const EvaluationJob& job);

/// Their scores and the checksum of the weights they belong to. Throws InputError if they are not
/// those of the job's windows and items.
EvaluationResult read_finished_pieces(const std::filesystem::path& file, const EvaluationJob& job);

}  // namespace rankine::models
