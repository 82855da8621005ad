// How far a training has come.
#pragma once

#include <cstdint>
#include <vector>

namespace rankine::train {

/// What is known after some steps, beside the arrays of the optimiser.
struct State {
  std::int64_t steps = 0;
  std::vector<double> losses = {};  ///< of each of them
  std::vector<double> scores =
      {};  ///< of each epoch that is over (and of none, with patience), where taken
};

}  // namespace rankine::train
