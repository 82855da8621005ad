// A slice: consecutive stages of a network, trained on their own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rankine::distill {

struct Slice {
  std::string name;
  std::size_t first_stage = 0, end_stage = 0;
  std::vector<std::string> weights = {};  ///< that are replaced
};

}  // namespace rankine::distill
