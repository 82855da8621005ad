// How much memory a rank needs to score images, before a network is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "models/evaluation/image_evaluation.hpp"
#include "run/machine.hpp"

namespace rankine::models {

/// Bytes of a rank, as upper bounds; every rank holds the whole network and all images. And what it
/// may use: an equal share of its node, unless the deck sets a limit.
struct ImageMemoryPlan {
  double weights = 0;
  double images = 0;       ///< and their logits
  double activations = 0;  ///< of one batch
  double moments = 0;      ///< of calibration
  double program = 0;      ///< a constant: program, libraries, MPI buffers
  double allowed = 0;      ///< 0 when unknown

  double total() const { return weights + images + activations + moments + program; }
  std::string line() const;
  /// Throws ResourceError when the forecast exceeds what is allowed.
  void require() const;
};
ImageMemoryPlan plan_memory(const ImageEvaluationJob& job, const run::Machine& machine);

/// Numbers alive at once while one image passes the layers of a network.
double activations_per_image(const NetworkPlan& plan);

}  // namespace rankine::models
