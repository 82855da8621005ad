// Adapters beside the weights that adapter.weights selects, trained on the calibration text while
// the weights themselves stay as they are.
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Scores the model as it is, puts the adapters into it and trains them (text_training.hpp);
/// writes PEFT's folder where there is one. Nothing happens without [adapter]. Collective over the
/// world. Throws on all ranks: InputError (a weight that has an adapter already), NumericalError
/// where the training diverges, Stopped after a step that is kept.
void adapt(Workbench& bench);

}  // namespace rankine::compress
