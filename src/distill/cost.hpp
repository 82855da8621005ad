// What distilling takes on a machine: the fit, the teacher's passes, the slices that teams train
// side by side, the network as a whole, scores.
#pragma once

#include <vector>

#include "distill/image_job.hpp"
#include "distill/language_job.hpp"
#include "run/pace.hpp"

namespace rankine::distill {

/// After `use_ranks` and `plan_memory`, whose waves count.
std::vector<run::StageCost> cost(const LanguageDistillJob& job, const run::Pace& pace);
std::vector<run::StageCost> cost(const ImageDistillJob& job, const run::Pace& pace);

}  // namespace rankine::distill
