// How large a form is, in one number.
#pragma once

#include <cstdint>

#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// The rank of factors, the largest bond dimension of an operator, the number of shared values; of
/// a dense weight the smaller side.
std::int64_t rank_of(const Weight& weight);

}  // namespace rankine::weights
