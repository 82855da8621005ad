// rankine-evaluate's work on image networks: scores test images, which are dealt out to the ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/evaluation/options.hpp"
#include "models/image/classification.hpp"
#include "models/image/image_checkpoint.hpp"
#include "models/image/image_data.hpp"
#include "parallel/communicator.hpp"

namespace rankine::models {

class ImageNetwork;

/// Everything that follows from the deck before a network is loaded.
struct ImageEvaluationJob {
  EvaluateOptions options;
  ImageModel model;
  ImageData data;
};

/// Without MPI: reads images and labels, and the header of the weights. Throws InputError.
ImageEvaluationJob prepare_image_evaluation(const EvaluateOptions& options);

/// What a network makes of its test images.
struct ImageScores {
  std::vector<double> logits;  ///< images x classes
  Classification classification = {};
  std::optional<Inspection> inspection = {};  ///< with a good class
};

/// Called by all ranks between two turns of images; may throw on all of them.
using BetweenImages = std::function<void(double fraction_done)>;

/// With a good class and validation images the threshold is the one that these give for the target
/// escape, else an even one. Collective over `world`; the same on all ranks. Throws on all ranks:
/// ResourceError, NumericalError (a logit is not finite), InputError (no validation image shows a
/// defect).
ImageScores score_network(const ImageNetwork& network, const ImageData& data,
                          const EvaluateOptions& options, const parallel::Communicator& world,
                          const BetweenImages& between = {});

struct ImageEvaluationResult {
  ImageScores scores;
  double load_seconds = 0;
  double loop_seconds = 0;
  std::uint64_t peak_bytes_largest_rank = 0;
};

/// Reads the network and scores it. Collective over `world`. Throws what read_image_network and
/// score_network throw.
ImageEvaluationResult evaluate_images(const ImageEvaluationJob& job,
                                      const parallel::Communicator& world,
                                      const BetweenImages& between);

}  // namespace rankine::models
