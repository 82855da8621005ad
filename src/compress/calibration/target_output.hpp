// What a weight should answer in a network that is changed weight by weight.
#pragma once

namespace rankine::compress {

enum class TargetOutput {
  of_weight,  ///< what the original weight answers to what it reads in the original
  of_stream,  ///< where that is added to the activation that passes: also what this has lost so far
};

}  // namespace rankine::compress
