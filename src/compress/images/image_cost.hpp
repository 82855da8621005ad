// What the stages of a compression of an image network take on a machine.
#pragma once

#include <vector>

#include "compress/images/image_job.hpp"
#include "run/pace.hpp"

namespace rankine::compress {

/// Statistics, moments and kernels: all before a training.
std::vector<run::StageCost> cost_of_fit(const ImageJob& job, const run::Pace& pace);

/// Epochs of the whole network, whose batches the ranks share; with a teacher beside.
run::StageCost cost_of_training(const ImageJob& job, bool has_teacher, const run::Pace& pace);

run::StageCost cost_of_score(const ImageJob& job, const run::Pace& pace);

std::vector<run::StageCost> cost(const ImageJob& job, const run::Pace& pace);

}  // namespace rankine::compress
