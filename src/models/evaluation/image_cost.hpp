// What it takes to pass images through a network, forward and back, and to score them on a machine.
#pragma once

#include <span>
#include <vector>

#include "models/evaluation/image_evaluation.hpp"
#include "run/pace.hpp"

namespace rankine::models {

/// What one image takes in some layers of a network.
struct LayerWork {
  double flops = 0;       ///< of convolutions and products
  double numbers = 0;     ///< written and read between them
  double operations = 0;  ///< of libtorch, whatever the images

  void add(const LayerPlan& layer);
};
/// With all that is in them.
LayerWork work_of(std::span<const LayerPlan> layers);

/// Images pass in batches.
struct ImagePass {
  double images = 0;
  double batch = 1;
  double times = 1;  ///< three of a training: forward, and back to activations and weights
};
run::StageCost cost_of_images(const LayerWork& work, const ImagePass& pass, run::Numbers numbers,
                              const run::Pace& pace);

/// Test and validation images, a batch of them on every rank at a time.
run::StageCost cost_of_scoring(const NetworkPlan& plan, const ImageData& data,
                               const EvaluateOptions& options, const run::Pace& pace);

std::vector<run::StageCost> cost(const ImageEvaluationJob& job, const run::Pace& pace);

}  // namespace rankine::models
