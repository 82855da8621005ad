// BLAS on views, for the four scalar types: general and Hermitian rank-k products, dimensions
// checked into 32 bits.
#pragma once

#include <cstdint>
#include <string>

#include "linalg/matrix.hpp"

namespace rankine::linalg {

/// C = alpha op(A) op(B) + beta C. ResourceError when a dimension does not fit BLAS's 32-bit
/// integers.
template <Scalar T>
void gemm(Op op_a, Op op_b, T alpha, ConstView<std::type_identity_t<T>> a,
          ConstView<std::type_identity_t<T>> b, T beta, View<T> c);

/// Upper triangle of C = A A^H + beta C (op none) or A^H A + beta C (op adjoint), half the flops of
/// gemm.
template <Scalar T>
void herk(Op op, ConstView<std::type_identity_t<T>> a, Real<T> beta, View<T> c);

/// Threads of the BLAS library in this process; 1 where the library is not OpenBLAS.
void set_blas_threads(int threads);
int blas_threads();
/// Address space that the library maps for its threads, now or in the first calls; 0 where the
/// library is not OpenBLAS, which waits for ever for what it cannot map.
std::uint64_t blas_address_space();
/// Name and version of the BLAS library, for provenance.
std::string blas_library();

/// Converts to the 32-bit integer of BLAS and LAPACK; ResourceError that names the limit otherwise.
int blas_int(std::int64_t dimension);

}  // namespace rankine::linalg
