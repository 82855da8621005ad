// Forms that are made of singular components: low-rank, or dense of low rank. Pivoted weights are
// low-rank ones first (compress/gauge.hpp).
#pragma once

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// Decomposes the selected weights in `norm`. Collective over the world.
std::vector<WeightFactors> decompose_weights(Workbench& bench, ErrorNorm norm);

/// The form of the deck of selected weight `w`, as it is in the model, at `rank`; the weight itself
/// from its full rank on. Collective over the world.
NewForm make_component_form(const Workbench& bench, std::size_t w, const WeightFactors& factors,
                            std::int64_t rank);

/// Decomposes the selected weights in `norm`, allocates ranks and puts the new forms into the
/// model. Collective over the world.
void compress_by_components(Workbench& bench, ErrorNorm norm);

}  // namespace rankine::compress
