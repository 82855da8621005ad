// rankine-compress's work: measures the calibration text, decomposes the selected weights, shares
// out ranks, puts the new forms into the model, heals, adapts, scores and exports it; or measures a
// profile of what its parts are worth.
#pragma once

#include <functional>

#include "compress/job/compression_job.hpp"
#include "compress/job/compression_result.hpp"
#include "parallel/communicator.hpp"
#include "run/run_control.hpp"

namespace rankine::compress {

struct Workbench;

/// What is done with the model once the weights have their forms, before it is healed; collective
/// over the world. It may set the score of the model that healing begins with.
using BetweenStages = std::function<void(Workbench& bench)>;

/// Collective over `world`. Throws on all ranks: errors of LanguageModel::read, InputError (more
/// teams than ranks), NumericalError (moments, losses or decompositions), Stopped between two
/// pieces of work: what was found is in run.directory then.
CompressionResult compress(const CompressionJob& job, const parallel::Communicator& world,
                           const run::RunControl& control, const SaveResult& save,
                           const BetweenStages& between = {});

}  // namespace rankine::compress
