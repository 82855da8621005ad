// A measurement that was stopped, on disk: the sums of each team and how far its activations have
// come.
#pragma once

#include <filesystem>

#include "compress/calibration/moments.hpp"

namespace rankine::compress {

/// Writes what all teams know to safetensors in `folder`. Collective over `world`.
void write_partial(const PartialMoments& state, const parallel::Communicator& world,
                   const parallel::Teams& teams, const std::filesystem::path& folder);

/// Reads what as many teams have written into a state of the same kind, on any number of ranks;
/// `state.rounds` stays. Collective over `world`. Throws InputError on all ranks, with nothing
/// changed.
void read_partial(PartialMoments& state, const parallel::Communicator& world,
                  const parallel::Teams& teams, const std::filesystem::path& folder);

}  // namespace rankine::compress
