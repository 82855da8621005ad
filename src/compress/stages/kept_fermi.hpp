// The state of FermiGrad in the checkpoint.
#pragma once

#include <vector>

#include "compress/allocation/fermi.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Goes on from what is there for these candidates, and keeps every step. Collective over the
/// world. Throws InputError on all ranks.
FermiCheckpoint fermi_checkpoint(const Workbench& bench, const std::vector<Candidate>& candidates);

}  // namespace rankine::compress
