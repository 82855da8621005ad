// Hidden units of MLPs taken away, the same number in every layer, so that the model becomes an
// ordinary one of a smaller width.
#pragma once

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Chooses the units of each selected MLP in the norm of its last matrix, which makes up for those
/// that go (weights/making/unit_selection.hpp). Collective over the world.
void compress_by_narrowing(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
