// Compressed weights in run.directory, as they are before healing.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// Forms and reports of the weights `selected` that an earlier run has left in `stage`; nothing if
/// there are none that are whole. Collective over the world.
std::optional<std::vector<NewForm>> restore_forms(const Workbench& bench, const run::Stage& stage,
                                                  std::span<const NamedShape> selected);

/// Keeps those of them that are not as they were in the original, as the model has them now, if
/// there is a run.directory. Collective over the world.
void keep_forms(const Workbench& bench, const run::Stage& stage,
                const std::vector<WeightReport>& reports);

/// Puts weights and reports of an earlier run into model and result. False, with nothing changed,
/// if there are none that are whole. Collective over the world.
bool restore_weights(Workbench& bench);

/// Keeps those of all selected weights, in place of what a fit has left on its way. Collective over
/// the world.
void keep_weights(const Workbench& bench);

}  // namespace rankine::compress
