// rankine-compress's work on an image network: kernels get their forms, batch norms their
// statistics, the network is trained, written and scored.
#pragma once

#include "compress/images/image_job.hpp"
#include "compress/images/image_result.hpp"
#include "parallel/communicator.hpp"
#include "run/run_control.hpp"

namespace rankine::compress {

/// Collective over `world`; the result is the same on all ranks. `save` is called on all ranks when
/// something more is known. Throws on all ranks: InputError, ResourceError, NumericalError;
/// Stopped.
ImageResult compress_images(const ImageJob& job, const parallel::Communicator& world,
                            const run::RunControl& control, const SaveImageResult& save);

}  // namespace rankine::compress
