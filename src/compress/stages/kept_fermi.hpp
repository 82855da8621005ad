// The state of FermiGrad in run.directory.
#pragma once

#include <vector>

#include "compress/allocation/fermi.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Goes on from what is there for these candidates, keeps every step, and stops behind one where
/// the run shall stop. Collective over the world.
FermiCheckpoint fermi_checkpoint(const Workbench& bench, const std::vector<Candidate>& candidates);

}  // namespace rankine::compress
