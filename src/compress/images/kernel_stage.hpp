// The kernels of an image network get their forms: moments, ranks, fits.
#pragma once

#include "compress/images/image_bench.hpp"

namespace rankine::compress {

/// Replaces the selected kernels and reports each. A network that is to be trained from random
/// weights keeps the norm of every kernel. Collective over the world.
void replace_kernels(ImageBench& bench);

/// The statistics of batch norms anew, from the calibration images. Collective over the world.
void restore_statistics(ImageBench& bench);

}  // namespace rankine::compress
