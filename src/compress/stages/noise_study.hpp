// The adapted model with every block a noisy quantum circuit, against error rates and numbers of
// shots.
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Measures `bench.result.noise` and saves after every point; the model is left with exact blocks.
/// Nothing happens without noise.error_rates. Collective over the world.
void study_noise(Workbench& bench);

}  // namespace rankine::compress
