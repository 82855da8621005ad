// The gauge of a Tucker kernel in which its core has the norm of the kernel.
#pragma once

#include "weights/forms/tucker.hpp"

namespace rankine::weights {

/// Makes the columns of every factor orthonormal in place, and the core what leaves the kernel as
/// it is: F = Q R by Cholesky's factor of F^T F, so that Q stays near factors that are orthonormal
/// already. A factor whose columns are dependent stays as it is. One rank owns all rows.
void orthonormalise(const Tucker& kernel);

}  // namespace rankine::weights
