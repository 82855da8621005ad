// The stages of a compression that its restart folder may hold, and what each of them depends on.
#pragma once

#include <string>
#include <vector>

#include "compress/job/compression_job.hpp"
#include "run/stage_store.hpp"

namespace rankine::compress {

run::Stage scores_stage(const CompressionJob& job);
run::Stage inputs_stage(const CompressionJob& job);
run::Stage gradients_stage(const CompressionJob& job);
run::Stage token_moments_stage(const CompressionJob& job);
/// Of the errors of codebooks of all numbers of values, in the original model.
run::Stage codebook_errors_stage(const CompressionJob& job);
/// Points, a weight each.
run::Stage error_weights_stage(const CompressionJob& job);
run::Stage fermi_stage(const CompressionJob& job);
/// Of the weights in one stage of the model, named in the checkpoint, that are fitted in order.
run::Stage fit_stage(const CompressionJob& job, const std::string& module);
run::Stage weights_stage(const CompressionJob& job);
/// A series of states.
run::Stage healing_stage(const CompressionJob& job);
/// A series of states. `values` are those of the deck that count.
run::Stage adapter_stage(const CompressionJob& job, const deck::DeckValues& values);
run::Stage noise_stage(const CompressionJob& job, const deck::DeckValues& values);
run::Stage sensitivity_stage(const CompressionJob& job);
run::Stage experiments_stage(const CompressionJob& job);

/// Those that a run of the job looks for, in the order it does.
std::vector<run::Stage> stages_of(const CompressionJob& job, const deck::DeckValues& values);

}  // namespace rankine::compress
