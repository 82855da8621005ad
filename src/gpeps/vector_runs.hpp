// The runs of a point that evolve state vectors, each of them the work of one rank.
#pragma once

#include <span>

#include "gpeps/simulation.hpp"

namespace rankine::gpeps {

/// Collective over `team`. Evolves those of `runs` whose values are not known yet.
template <class Real>
void evolve_vectors(const Job& job, std::span<const Run> runs, const parallel::Communicator& team,
                    const Report& report, const Continuation& continuation,
                    PointProgress& progress);

}  // namespace rankine::gpeps
