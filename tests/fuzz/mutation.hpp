// Inputs that are almost right: valid ones with a few changes.
#pragma once

#include <string>

#include "core/random_stream.hpp"
#include "target.hpp"

namespace rankine::fuzz {

/// One of the target's seeds, changed in one to a few places: bits and bytes, chunks moved, copied
/// and taken from other seeds, numbers and values replaced by extreme ones or by other types, lines
/// exchanged, ends cut off, and now and then deep nesting or long repetition.
std::string mutated_seed(const Target& target, RandomStream& random);

}  // namespace rankine::fuzz
