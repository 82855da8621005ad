// How many hidden units of every MLP a deck leaves.
#pragma once

#include <cstdint>

#include "compress/job/options.hpp"

namespace rankine::compress {

/// ranks.parameter_ratio of `hidden`, rounded down to a multiple of ranks.multiple_of.
inline std::int64_t units_of(const RankOptions& ranks, std::int64_t hidden) {
  const auto within =
      static_cast<std::int64_t>(ranks.parameter_ratio * static_cast<double>(hidden) + 1e-9);
  return within / ranks.multiple_of * ranks.multiple_of;
}

}  // namespace rankine::compress
