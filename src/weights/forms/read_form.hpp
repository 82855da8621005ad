// Reads a weight back in the form its tensors say it has.
#pragma once

#include <memory>

#include "weights/forms/dense.hpp"

namespace rankine::weights {

/// Collective over the team. The form follows from the names of the tensors, and what its
/// numbers are rounded to from their types (16-bit numbers) and names (4-bit codes); tensors of an
/// adapter beside it are recognised likewise. Throws InputError or NumericalError on all ranks,
/// naming the tensor.
std::unique_ptr<Weight> read_form(const parallel::Communicator& team, const DenseSource& source);

}  // namespace rankine::weights
