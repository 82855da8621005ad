// What the errors of each weight cost the model, measured with one weight at a time (LEMS,
// github.com/lems-svd/lems): errors of different weights are then compared by what they do.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "compress/allocation/allocation.hpp"
#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// Selected weight `w` at a rank. Collective over the world.
using FormAtRank = std::function<NewForm(std::size_t w, std::int64_t rank)>;

/// For each of the candidates, the selected weights with errors as they are, K / e: with the weight
/// alone at the largest rank that keeps no more than ranks.measured_ratio of its numbers, e is its
/// squared error and K the divergence of the model's predictions on the first
/// ranks.measured_windows calibration windows, in nat. Errors that are mere rounding are passed
/// over for those of smaller ranks; 0 for a weight that has no others. What is measured is kept.
/// Collective over the world. Throws on all ranks: NumericalError where predictions are not finite.
std::vector<double> measured_error_weights(Workbench& bench,
                                           const std::vector<Candidate>& candidates,
                                           const FormAtRank& make);

}  // namespace rankine::compress
