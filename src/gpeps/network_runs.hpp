// The runs of a point that evolve a tensor network.
#pragma once

#include <span>
#include <vector>

#include "gpeps/simulation.hpp"

namespace rankine::gpeps {

/// Collective over `team`. Evolves those of `runs` that are not finished yet, one after the other,
/// and reads off what each is for. `total` is the forecast of all runs of the point.
template <class Real>
void evolve_networks(const Job& job, const Point& point, const parallel::Communicator& team,
                     const Report& report, const Continuation& continuation,
                     std::span<const Run> runs, const Forecast& total, PointProgress& progress);

}  // namespace rankine::gpeps
