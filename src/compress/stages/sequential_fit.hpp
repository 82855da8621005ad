// Weights one after the other, as activations meet them: each is fitted on what it reads in the
// model compressed so far against what it should answer, so that it makes up for what the earlier
// ones have lost.
#pragma once

#include <functional>
#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// Forms of selected weights that read one activation, in a norm of theirs. Meanwhile the model has
/// in their slots the dense matrices to be approximated
/// (compress/decomposition/shifted_target.hpp). Collective over the world.
using FormsOfGroup =
    std::function<std::vector<NewForm>(const std::vector<std::size_t>& group, ErrorNorm norm)>;

/// Gives all selected weights the forms that `make` makes of them, with their reports. Of `norm`
/// the moments of the output gradients, of all selected weights or none, and the ridges are used;
/// the others are released. The weights of each stage of the model are kept in run.directory as it
/// is done. Collective over the world.
void fit_in_order(Workbench& bench, ErrorNorm norm, const FormsOfGroup& make);

}  // namespace rankine::compress
