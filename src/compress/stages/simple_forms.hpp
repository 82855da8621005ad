// What needs no norm: a weight as it stands, and one whose entries are all zero.
#pragma once

#include <vector>

#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// Selected weight `w` as it is in the model.
NewForm present_form(const Workbench& bench, std::size_t w);

/// Collective over the world.
bool is_zero_weight(const Workbench& bench, std::size_t w);

/// Selected weight `w`, whose entries are all zero, in two factors of rank 0, which hold no
/// numbers; dense where the deck wants it dense.
NewForm zero_form(const Workbench& bench, std::size_t w);

/// The forms into the model, their reports into the result.
void put_into_model(Workbench& bench, std::vector<NewForm> forms);

}  // namespace rankine::compress
