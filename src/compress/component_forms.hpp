// Forms that are made of singular components: low-rank, pivoted, or dense of low rank.
#pragma once

#include "compress/factors.hpp"
#include "compress/workbench.hpp"

namespace rankine::compress {

/// Decomposes the selected weights in `norm`, allocates ranks and puts the new forms into the
/// model. Collective over the world.
void compress_by_components(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
