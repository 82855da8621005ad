// The stages of a compression that its restart folder may hold, and what each of them depends on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/job/compression_job.hpp"

namespace rankine::compress {

struct Stage {
  std::string name;
  /// Covers everything the stage depends on but the numbers of the model: deck, tokens, version of
  /// the program. Known without loading the model.
  std::uint64_t of_deck;
};

Stage scores_stage(const CompressionJob& job);
Stage inputs_stage(const CompressionJob& job);
Stage gradients_stage(const CompressionJob& job);
Stage fermi_stage(const CompressionJob& job);
Stage weights_stage(const CompressionJob& job);
/// Two, of which the one with more steps counts: `turn` is 0 or 1.
Stage healing_stage(const CompressionJob& job, int turn);
Stage sensitivity_stage(const CompressionJob& job);
Stage experiments_stage(const CompressionJob& job);

/// Those that a run of the job looks for, in the order it does.
std::vector<Stage> stages_of(const CompressionJob& job);

}  // namespace rankine::compress
