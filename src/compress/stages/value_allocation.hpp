// How many shared values each weight gets.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Of every selected weight: method.clusters, or, within ranks.bits_per_weight, the powers of two
/// that make the sum of the squared errors of codebooks in `norm` least. The errors of all numbers
/// are kept in run.directory, for any budget. Collective over the world.
std::vector<std::int64_t> numbers_of_values(const Workbench& bench, const ErrorNorm& norm);

}  // namespace rankine::compress
