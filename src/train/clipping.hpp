// A bound on the gradient of a step.
#pragma once

#include <vector>

#include "train/objective.hpp"

namespace rankine::train {

/// The Frobenius norm of all gradients together, of which copies count once: the same on all ranks.
/// Collective over the world.
double gradient_norm(const Objective& objective, const std::vector<Parameter>& parameters);

/// Scales the gradients to a norm of at most `largest`. Collective over the world.
void clip_gradients(const Objective& objective, const std::vector<Parameter>& parameters,
                    double largest);

}  // namespace rankine::train
