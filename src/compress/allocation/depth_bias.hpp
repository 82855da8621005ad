// Errors in early layers count more when ranks are allocated: all later layers pass them on.
#pragma once

#include <cstdint>
#include <vector>

namespace rankine::compress {

/// What an error in each layer counts (LEMS, github.com/lems-svd/lems): 1 + strength s_l / s_0 with
/// s_l = sum over l <= k < layers - 1 of (k + 1)^(-decay), so 1 + strength in the first layer and 1
/// in the last, and a straight line between for decay = 0.
std::vector<double> depth_factors(std::int64_t layers, double strength, double decay);

}  // namespace rankine::compress
