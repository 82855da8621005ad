// What the teacher makes of all samples at the borders of slices. The samples are dealt over all
// ranks, and what each rank finds goes to the ranks that will train on it: one pass of the teacher,
// shared by everyone, whoever trains which slice.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "distill/samples.hpp"
#include "models/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/teams.hpp"
#include "run/stop_request.hpp"

namespace rankine::distill {

/// Border s is what stage s takes; the last one stands behind the last stage. Of this rank's
/// samples, in the order of the deal.
using Borders = std::map<std::size_t, torch::Tensor>;

/// `wanted`: the borders of each team of `teams`, whose ranks share samples as `deal` says. The
/// teacher is held by teams of its own, as its team() says. Collective over `world`. Throws on all
/// ranks; Stopped between two parts of the samples.
Borders pass_teacher(const models::Network& teacher, const Samples& samples, const SampleDeal& deal,
                     const parallel::Communicator& world, const parallel::Teams& teams,
                     const std::vector<std::set<std::size_t>>& wanted, run::StopRequest& stop);

}  // namespace rankine::distill
