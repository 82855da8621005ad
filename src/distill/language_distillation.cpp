#include "distill/language_distillation.hpp"

#include "compress/compression.hpp"

namespace rankine::distill {

LanguageDistillResult distill_language(const LanguageDistillJob& job,
                                       const parallel::Communicator& world,
                                       const run::RunControl& control,
                                       const SaveLanguageDistillation& save) {
  LanguageDistillResult result;
  result.compression = compress::compress(job.compression, world, control,
                                          [&](const compress::CompressionResult& known) {
                                            result.compression = known;
                                            save(result);
                                          });
  result.fit = result.compression.after;
  const compress::CompressionTimes& seconds = result.compression.seconds;
  result.fit_seconds = seconds.inputs + seconds.gradients + seconds.decomposition +
                       seconds.allocation + seconds.conversion;
  return result;
}

}  // namespace rankine::distill
