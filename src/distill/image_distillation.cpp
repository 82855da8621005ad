#include "distill/image_distillation.hpp"

#include "compress/images/image_compression.hpp"

namespace rankine::distill {

ImageDistillResult distill_images(const ImageDistillJob& job, const parallel::Communicator& world,
                                  const run::RunControl& control,
                                  const SaveImageDistillation& save) {
  ImageDistillResult result;
  result.compression = compress::compress_images(job.compression, world, control,
                                                 [&](const compress::ImageResult& known) {
                                                   result.compression = known;
                                                   save(result);
                                                 });
  result.fit = result.compression.after;
  const compress::ImageTimes& seconds = result.compression.seconds;
  result.fit_seconds = seconds.moments + seconds.gradients + seconds.fit + seconds.statistics;
  return result;
}

}  // namespace rankine::distill
