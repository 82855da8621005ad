// The gauge of a Tucker kernel in which its core has the norm of the kernel.
#pragma once

#include "weights/forms/tucker.hpp"

namespace rankine::weights {

/// The same kernel, float64, with factors whose columns are orthonormal; what they were before is
/// in the core. Of F = Q R the diagonal of R is positive, so that Q stays near factors that are
/// orthonormal already, and training goes on as if nothing had happened.
TuckerFactors orthonormal(const TuckerFactors& factors);

/// The same in place. One rank owns all rows.
void orthonormalise(const Tucker& kernel);

}  // namespace rankine::weights
