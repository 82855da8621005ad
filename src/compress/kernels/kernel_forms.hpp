// The forms of kernels that there are.
#pragma once

#include "compress/kernels/kernel_form.hpp"

namespace rankine::compress {

std::unique_ptr<KernelForm> low_rank_kernel(const Kernel& kernel, const CompressOptions& options);
std::unique_ptr<KernelForm> matrix_product_kernel(const Kernel& kernel,
                                                  const CompressOptions& options);
std::unique_ptr<KernelForm> cut_kernel(const Kernel& kernel, const CompressOptions& options);
std::unique_ptr<KernelForm> tucker_kernel(const Kernel& kernel, const CompressOptions& options);

}  // namespace rankine::compress
