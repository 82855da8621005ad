// What the shared values of clustered weights matter for: their order, their scale, or neither
// (arXiv:2603.17917). Assignments stay, values are changed, the model is scored.
#pragma once

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Runs the experiments of the deck on the selected weights, which are dense, and leaves them so.
/// For each number of clusters: all of them clustered as they are; each change of values in the
/// last layers, for every seed; and redrawn values put in layer by layer, from the last one to the
/// first, without and with the affine correction. The same draws serve all experiments of a seed.
/// Adds to bench.result.experiments and saves after every point. Collective over the world; errors
/// of weights::make_clustered and models::score_model.
void run_cluster_experiments(Workbench& bench, const ErrorNorm& norm);

}  // namespace rankine::compress
