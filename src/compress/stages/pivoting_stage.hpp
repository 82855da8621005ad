// The pivoted form as a lossless last step: PivGa (arXiv:2512.03062) after all training.
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Stores the weights whose report says "pivoted", which are low-rank in the model until then, with
/// their gauge fixed, and completes their reports. Before that they are in the gauge of the
/// weighted singular vectors, where the second moments of the activations and of the output
/// gradients that a factor sees are diagonal: the gauge that training by coordinates wants.
/// Collective over the world.
void fix_gauges(Workbench& bench);

}  // namespace rankine::compress
