// The weighted singular value decomposition of a weight with very many rows, one for every token of
// a vocabulary, say, whose output moment is known by its diagonal: rows stay where they are.
//
// With R = diag(C)^{1/2} and K = W^T C W = F^T F the singular values of R^T W L are those of F L,
// of which U are the left vectors, and W' = R^{-T} U_r U_r^T R^T W is W (F^+ U_r) (U_r^T F):
// nothing but K, n x n, is brought together.
#pragma once

#include "compress/decomposition/weighted_decomposition.hpp"

namespace rankine::compress {

/// Of `weight` (m x n) in the norm of its moments, as `decompose` gives it. `w` is its place in
/// `norm`. One rank works on n x n numbers; every rank keeps the n x n numbers of the bases, and
/// `weight`, whose rows make the left one when it is asked for. Collective over `world`. Throws
/// NumericalError on all ranks.
WeightFactors decompose_by_rows(std::string name, std::shared_ptr<const weights::Weight> weight,
                                const parallel::Communicator& world, const parallel::Teams& teams,
                                const ErrorNorm& norm, std::size_t w);

}  // namespace rankine::compress
