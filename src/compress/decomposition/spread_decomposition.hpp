// The decomposition of a group of weights over all ranks: no rank holds a whole matrix, moment or
// basis.
#pragma once

#include <memory>

#include "compress/decomposition/decomposition_task.hpp"
#include "linalg/distributed/process_grid.hpp"

namespace rankine::compress {

/// Decomposes the weights of the group one after the other on the grid, which the results keep.
/// Collective over its ranks, the world. L is V S^{1/2} of the eigenvectors of G in place of a
/// Cholesky factor; U and the singular values are the same. NumericalError as `decompose`.
void decompose_spread(std::shared_ptr<const linalg::ProcessGrid> grid, const parallel::Teams& teams,
                      const GroupTask& task);

}  // namespace rankine::compress
