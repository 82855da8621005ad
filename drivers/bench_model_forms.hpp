// Weights of any form and size with arbitrary numbers: what they cost does not depend on these.
#pragma once

#include <memory>
#include <string>

#include "weights/forms/weight.hpp"

namespace rankine::bench {

/// As `dense`, with at most `ratio` of its numbers; "clustered" has 16 shared values and "4-bit"
/// all numbers in 4 bits.
std::shared_ptr<weights::Weight> arbitrary_weight(const weights::Weight& dense,
                                                  const std::string& form, double ratio);

}  // namespace rankine::bench
