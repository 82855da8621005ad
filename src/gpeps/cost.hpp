// What a simulation takes on a machine: its circuit walked through gate by gate with bonds that grow
// and sites that lie on ranks, as the evolution will, without computing.
#pragma once

#include <vector>

#include "gpeps/simulation.hpp"
#include "run/pace.hpp"

namespace rankine::gpeps {

/// Start, evolution, readings, state vectors, and results of all points, which the teams share.
std::vector<run::StageCost> cost(const Job& job, const run::Pace& pace);

}  // namespace rankine::gpeps
