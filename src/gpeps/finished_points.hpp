// Points that a result file of the same deck holds finished: they are not computed again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "gpeps/simulation.hpp"

namespace rankine::gpeps {

/// How many there are. Throws InputError if the file cannot be read.
std::int64_t count_finished_points(const std::filesystem::path& file);

/// Puts them into the places of `results` that their points have in `points`. Throws InputError if
/// one is not among the points, for it would be lost.
void take_finished_points(const std::filesystem::path& file, const Job& job,
                          const std::vector<Point>& points, std::vector<PointResult>& results);

}  // namespace rankine::gpeps
