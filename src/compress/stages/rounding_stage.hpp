// The storage that method.storage asks for: the numbers of the selected weights in few bits.
#pragma once

#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Rounds the numbers that the selected weights store, whatever their form, and corrects the
/// reports. Nothing happens for "exact". Collective.
void round_weights(Workbench& bench);

}  // namespace rankine::compress
