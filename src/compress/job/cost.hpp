// What the stages of a compression take on a machine, from the sizes of a model and the deck alone.
#pragma once

#include <vector>

#include "compress/job/compression_job.hpp"
#include "run/pace.hpp"

namespace rankine::compress {

/// What a training on text is, as far as its time goes.
struct TextTraining {
  double steps = 0;
  double windows_per_step = 1;  ///< of each team
  double window_length = 0;
  double numbers = 0;  ///< trained
  bool trains_weights = true;
  bool has_teacher = false;
  double operations = 0;  ///< of libtorch in a step, beside those of the model
};
run::StageCost cost_of_training(const CompressionJob& job, const TextTraining& training,
                                const run::Pace& pace);

/// Moments and forms: all before a training.
std::vector<run::StageCost> cost_of_fit(const CompressionJob& job, const run::Pace& pace);

/// The model scored once.
run::StageCost cost_of_score(const CompressionJob& job, const run::Pace& pace);

std::vector<run::StageCost> cost(const CompressionJob& job, const run::Pace& pace);

}  // namespace rankine::compress
