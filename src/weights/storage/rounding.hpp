// Numbers rounded to the few bits they are stored in: 16-bit floating point, or blocks of 4-bit
// integers.
#pragma once

#include <vector>

#include "weights/storage/parameter.hpp"
#include "weights/storage/storage.hpp"

namespace rankine::weights {

/// Rounds the parameter in place to what the storage, which is not exact, can hold. Returns what is
/// stored of it, in the types of files: of 4-bit numbers "<parameter>.codes", ".minima", ".steps"
/// (weights/storage/four_bits.hpp) and ".shape".
std::vector<Parameter> round_in_place(const Parameter& parameter, Storage storage);

}  // namespace rankine::weights
