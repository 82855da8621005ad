// The compressed weights in run.directory, as they are before healing.
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Puts weights and reports of an earlier run into model and result. False, with nothing changed,
/// if there are none that are whole. Collective over the world.
bool restore_weights(Workbench& bench);

/// Keeps the weights that are not as they were in the original, if there is a run.directory.
/// Collective over the world.
void keep_weights(const Workbench& bench);

}  // namespace rankine::compress
