// A matrix times one vector, by BLAS: it reads the matrix once and in place, where a matrix product
// would copy it first.
#pragma once

#include "linalg/matrix.hpp"

namespace rankine::linalg {

/// y = op(A) x for float and double, vectors whose numbers lie side by side. ResourceError when a
/// dimension does not fit BLAS's 32-bit integers.
template <class T>
void gemv(Op op, ConstView<std::type_identity_t<T>> a, const T* x, T* y);

}  // namespace rankine::linalg
