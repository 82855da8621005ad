// How much the perplexity depends on each part of a model: a layer or a kind of matrix at a time
// gets the form of the deck, at one bond dimension after the other (CompactifAI, arXiv:2401.14109).
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Measures `bench.result.sensitivity` and saves after every point; the model is left as it was.
/// Collective over the world. Throws on all ranks: NumericalError.
void profile_sensitivity(Workbench& bench);

}  // namespace rankine::compress
