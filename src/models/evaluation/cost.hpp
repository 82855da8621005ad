// What it takes to read a language model, to pass windows through it, forward and back, and to score
// them on a machine, from its sizes alone.
#pragma once

#include <vector>

#include "models/evaluation/evaluation.hpp"
#include "models/precision.hpp"
#include "run/pace.hpp"

namespace rankine::models {

run::Numbers numbers_of(Precision precision);

/// How far a window goes through a model.
enum class Pass {
  forward,          ///< through the layers
  scored,           ///< and the head
  gradients,        ///< and back, to activations only
  weight_gradients  ///< and to all weights
};

/// Where a window passes: a team of so many ranks share the rows of all weights.
struct WindowPass {
  const ModelConfig& config;
  run::Numbers numbers = run::Numbers::float32;
  int ranks = 1;

  run::StageCost cost(double tokens, Pass pass, const run::Pace& pace) const;
  /// Of one layer.
  run::StageCost layer(double tokens, Pass pass, const run::Pace& pace) const;
};

/// Reading a model into each of so many teams that share the ranks, with its checksum.
run::StageCost cost_of_reading(const ModelConfig& config, run::Numbers numbers, int teams,
                               const run::Pace& pace);

/// All windows of an evaluation, which its teams take in turn; with a reference model beside.
run::StageCost cost_of_scoring(const EvaluationJob& job, const run::Pace& pace);

/// Rounds in which so many teams take so many things.
double rounds(double count, int teams);

std::vector<run::StageCost> cost(const EvaluationJob& job, const run::Pace& pace);

}  // namespace rankine::models
