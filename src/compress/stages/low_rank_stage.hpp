// Forms that are made of singular components: low-rank, or dense of low rank. Pivoted weights are
// low-rank ones first (compress/stages/pivoting_stage.hpp).
#pragma once

#include "compress/stages/form_making.hpp"

namespace rankine::compress {

/// Decomposes the selected weights in `norm`, for forms of any rank; a weight stays as it is from
/// its full rank on. Collective over the world.
FormsOfSize components_of_size(Workbench& bench, ErrorNorm norm);

/// Decomposes the selected weights in `norm`, allocates ranks and puts the new forms into the
/// model. Collective over the world.
void compress_by_components(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
