// rankine-distill's work on image networks: the fit, slices trained by teams against the features
// of the network as it was, the network they are put together to, trained as a whole.
#pragma once

#include "distill/image_job.hpp"
#include "distill/results.hpp"
#include "parallel/communicator.hpp"
#include "run/run_control.hpp"

namespace rankine::distill {

/// Collective over `world`. Throws on all ranks: what compress::compress_images throws.
ImageDistillResult distill_images(const ImageDistillJob& job, const parallel::Communicator& world,
                                  const run::RunControl& control,
                                  const SaveImageDistillation& save);

}  // namespace rankine::distill
