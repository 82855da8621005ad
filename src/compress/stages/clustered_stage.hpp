// Clustered weights, made of the weight itself.
#pragma once

#include <memory>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"
#include "weights/making/clustering.hpp"

namespace rankine::compress {

/// Puts the form of the deck into the model in place of each selected weight, measured in `norm`.
/// Weighting: none, diagonal or two-sided, where the squared error of entry (i, j) counts G_jj
/// times, or C_ii G_jj times. Collective over the world.
void compress_by_clusters(Workbench& bench, ErrorNorm norm);

/// Selected weight `w`, which the model holds dense, with `clusters` shared values, else as the
/// deck has it. Collective over the world.
std::shared_ptr<weights::Clustered> make_clustered_weight(const Workbench& bench,
                                                          const ErrorNorm& norm, std::size_t w,
                                                          std::int64_t clusters);

}  // namespace rankine::compress
