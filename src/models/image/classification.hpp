// What the logits of a classifier say about its test images.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/image/inspection.hpp"
#include "models/image/logits.hpp"
#include "models/score.hpp"

namespace rankine::models {

struct Classification {
  std::int64_t classes = 0;
  std::vector<std::int64_t> predictions = {};  ///< of each image; the first of equal logits
  double accuracy = 0;
  std::optional<double> top5_accuracy = {};  ///< where there are more than five classes
  double loss = 0;                           ///< mean cross entropy, nat
  std::vector<std::int64_t> confusion = {};  ///< images, true class x predicted class
  std::vector<double> recall = {};           ///< of each class; NaN where there is no image of it
  double macro_miss_rate = 0;                ///< 1 - mean recall of the classes that there are
};

/// At least one image. Throws NumericalError, naming the image, if a logit is not finite.
Classification classify(const Logits& logits, std::span<const std::int64_t> labels);

/// Accuracy first. With a good class rates of missed defects and false alarms follow, and the area
/// under the curve; without one the macro miss rate.
Score score_of(const Classification& classification,
               const std::optional<Inspection>& inspection = {});

}  // namespace rankine::models
