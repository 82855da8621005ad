// The decomposition of a weight that knows nothing of its data.
#pragma once

#include <memory>

#include "parallel/communicator.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::distill {

/// `dense` in the form and at the rank of `fitted` (factors or an operator of so many sites), by
/// truncated SVDs. Collective over the team of both.
std::shared_ptr<weights::Weight> plain_weight(const parallel::Communicator& team,
                                              const weights::Weight& dense,
                                              const weights::Weight& fitted, int sites);

}  // namespace rankine::distill
