// The first stage of a compression: second moments of the inputs of the selected
// weights, and of the gradients at their outputs, on the calibration text.
#pragma once

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"

namespace rankine::compress {

/// Measures the moments that method.weighting asks for. Collective over the world. NumericalError
/// on all ranks where they are not finite, or where all output gradients are zero.
ErrorNorm measure_error_norm(Workbench& bench);

}  // namespace rankine::compress
