// The stages of a network before it is loaded, for cutting it into slices.
#pragma once

#include <vector>

#include "compress/images/image_job.hpp"
#include "compress/job/compression_job.hpp"
#include "distill/slices.hpp"

namespace rankine::distill {

/// As models::ImageNetwork::stages has them.
std::vector<StageLayout> layout_of(const compress::ImageJob& job);

/// As models::LanguageModel::stages has them: the embedding, the layers, the last norm. A sample is
/// a window of so many tokens.
std::vector<StageLayout> layout_of(const compress::CompressionJob& job, std::int64_t tokens);

}  // namespace rankine::distill
