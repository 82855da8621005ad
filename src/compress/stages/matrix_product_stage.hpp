// Matrix-product operators of the selected weights.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/decomposition/weighted_decomposition.hpp"
#include "compress/job/workbench.hpp"
#include "compress/stages/replacement.hpp"

namespace rankine::compress {

/// Operators of all selected weights, in the norm of the deck, with these bond dimensions; a bond
/// dimension of 0 leaves the weight as it is. Whole matrices are dealt out to the ranks, the most
/// expensive first. Collective over the world. Throws NumericalError on all ranks.
std::vector<NewForm> make_operators(const Workbench& bench, const ErrorNorm& norm,
                                    const std::vector<std::int64_t>& bond_dimensions);

/// Bond dimensions as the deck asks: the same share of each weight, or the least sum of errors
/// (additive_ranks along weights::bond_errors; 0 where the dense matrix is worth its numbers).
/// Collective over the world.
std::vector<std::int64_t> allocate_bonds(const Workbench& bench, const ErrorNorm& norm);

/// Allocates bond dimensions and puts the operators into the model. Collective over the world.
void compress_by_operators(Workbench& bench, const ErrorNorm& norm);

}  // namespace rankine::compress
