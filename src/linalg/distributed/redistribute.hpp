// Moves a distributed matrix from one layout to another.
#pragma once

#include "linalg/distributed/dist_matrix.hpp"

namespace rankine::linalg {

/// target = source (or its adjoint, conjugated and transposed), whatever the two layouts and grids.
/// Collective over `both`, which holds the ranks of both grids; where a rank belongs to one of them
/// only, the other view is default-constructed. Each element travels once, straight to its owner.
/// ResourceError when memory for the messages lacks on a rank.
template <Scalar T>
void redistribute(const parallel::Communicator& both, Op op,
                  DistView<const std::type_identity_t<T>> source, DistView<T> target);

/// Both grids on the same ranks.
template <Scalar T>
void redistribute(DistView<const std::type_identity_t<T>> source, DistView<T> target) {
  redistribute<T>(target.grid->ranks(), Op::none, source, target);
}

/// The whole matrix on rank `root` of the grid's ranks (empty elsewhere). Collective.
template <Scalar T>
Matrix<T> gather(DistView<const T> source, int root);
/// The whole matrix on every rank. Collective.
template <Scalar T>
Matrix<T> all_gather(DistView<const T> source);
/// target = the first rows and columns of `whole` on rank `root` (ignored elsewhere). Collective.
template <Scalar T>
void scatter(ConstView<std::type_identity_t<T>> whole, int root, DistView<T> target);

}  // namespace rankine::linalg
