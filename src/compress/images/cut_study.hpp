// Which cuts of its kernels a network bears: norm loss against loss of accuracy, kernel by kernel
// and all together (arXiv:2403.14379).
#pragma once

#include "compress/images/image_bench.hpp"

namespace rankine::compress {

/// Sets result.cuts; the network is as it was in the end. Collective over the world.
void study_cuts(ImageBench& bench);

}  // namespace rankine::compress
