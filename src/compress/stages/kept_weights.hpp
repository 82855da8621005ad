// The compressed weights in the checkpoint, as they are before healing.
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Puts weights and reports of an earlier run into model and result. False, with nothing changed,
/// if there are none. Collective over the world. Throws InputError on all ranks for damaged files.
bool restore_weights(Workbench& bench);

/// Keeps the weights that are not as they were in the original, if a checkpoint is wanted.
/// Collective over the world.
void keep_weights(const Workbench& bench);

}  // namespace rankine::compress
