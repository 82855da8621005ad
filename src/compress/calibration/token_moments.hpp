// Second moments of what goes into weights, each token counted by what its outputs matter
// (GuidedQuant, arXiv:2505.07004).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/calibration/moments.hpp"

namespace rankine::compress {

/// Collective over `world`: for each weight and each of `groups` parts of its rows in turn
/// (weights::RowSplit::even) sum_t s_t x_t x_t^T, with s_t the mean over the part of the squared
/// gradients of the summed loss at the outputs for token t, each row counted as `gradients` says;
/// one pass forward and backward for each batch. Groups of one weight stand together. Sums are kept
/// in the network's precision.
std::vector<SecondMoment> measure_token_moments(models::Network& network,
                                                const parallel::Communicator& world,
                                                const parallel::Teams& teams,
                                                const std::vector<std::string>& names,
                                                const std::vector<models::Batch>& batches,
                                                const LossGradients& gradients, std::int64_t groups,
                                                const MeasurementCheckpoint& checkpoint = {});

}  // namespace rankine::compress
