// Ranks of all kernels within a budget of numbers.
#pragma once

#include <memory>
#include <vector>

#include "compress/kernels/kernel_form.hpp"

namespace rankine::compress {

/// The largest fraction of all ranks at which the kernels hold at most `ratio` of their numbers.
/// Throws InputError, naming the smallest ratio, if there is none.
std::vector<KernelRanks> uniform_kernel_ranks(const std::vector<Kernel>& kernels,
                                              const std::vector<std::unique_ptr<KernelForm>>& forms,
                                              double ratio, std::int64_t multiple);

/// Ranks that make a sum over the kernels least, along the lower hulls of their curves; an empty
/// entry for a kernel that stays as it is. A squared error E of a kernel of squared norm N counts
/// -w N log(1 - E / N): its error weight times E while it is small, and without bound where nothing
/// is left of the kernel, as no other kernel can make up for that.
std::vector<KernelRanks> additive_kernel_ranks(const std::vector<Kernel>& kernels,
                                               const std::vector<KernelCurve>& curves,
                                               const std::vector<double>& error_weights,
                                               double ratio);

/// The smallest part of their numbers that the kernels can be made to hold; without computing.
double smallest_ratio(const std::vector<Kernel>& kernels,
                      const std::vector<std::unique_ptr<KernelForm>>& forms, std::int64_t multiple);

}  // namespace rankine::compress
