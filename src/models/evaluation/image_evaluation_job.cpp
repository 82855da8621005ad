// What a deck means for an image network before it is loaded: images, labels, layers.
#include "core/errors.hpp"
#include "models/evaluation/image_evaluation.hpp"

namespace rankine::models {

ImageEvaluationJob prepare_image_evaluation(const EvaluateOptions& options) {
  const SeenImages seen = see_images(options.data, DataUse::scoring);
  ImageEvaluationJob job{options, prepare_image_model(options.model, seen), {}};
  job.data = read_image_data(
      options.data, DataUse::scoring,
      {.channels = job.model.plan.input.channels, .classes = job.model.plan.classes});
  return job;
}

}  // namespace rankine::models
