// rankine-distill's work on language models: the fit, slices trained by teams against the features
// of the model as it was, the model they are put together to, trained as a whole.
#pragma once

#include "distill/language_job.hpp"
#include "distill/results.hpp"
#include "parallel/communicator.hpp"
#include "run/run_control.hpp"

namespace rankine::distill {

/// Collective over `world`. Throws on all ranks: what compress::compress throws.
LanguageDistillResult distill_language(const LanguageDistillJob& job,
                                       const parallel::Communicator& world,
                                       const run::RunControl& control,
                                       const SaveLanguageDistillation& save);

}  // namespace rankine::distill
