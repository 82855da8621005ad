#include "linalg/blas.hpp"

#include <fmt/format.h>

#include <limits>

#include "core/errors.hpp"
#include "linalg/fortran.hpp"
#include "linalg/operation_count.hpp"

// OpenBLAS's own entry points; absent (null) with another BLAS.
extern "C" {
void openblas_set_num_threads(int) __attribute__((weak));
int openblas_get_num_threads() __attribute__((weak));
char* openblas_get_config() __attribute__((weak));
}

namespace rankine::linalg {

void set_blas_threads(int threads) {
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

int blas_threads() { return openblas_get_num_threads ? openblas_get_num_threads() : 1; }

std::uint64_t blas_address_space() {
  constexpr std::uint64_t buffer = std::uint64_t{128} << 20;  // of each thread (0.3.21, x86-64)
  return openblas_get_num_threads ? buffer * static_cast<std::uint64_t>(blas_threads()) : 0;
}

std::string blas_library() { return openblas_get_config ? openblas_get_config() : "unknown BLAS"; }

int blas_int(std::int64_t dimension) {
  constexpr std::int64_t limit = std::numeric_limits<int>::max();
  if (dimension < 0 || dimension > limit)
    throw ResourceError(
        fmt::format("a matrix dimension of {} cannot be passed to BLAS or LAPACK (their integers "
                    "end at {}). Lower the bond dimension or spread the work over more ranks.",
                    dimension, limit));
  return static_cast<int>(dimension);
}

namespace {

int leading(std::int64_t value) { return blas_int(std::max<std::int64_t>(value, 1)); }

}  // namespace

template <Scalar T>
void gemm(Op op_a, Op op_b, T alpha, ConstView<std::type_identity_t<T>> a,
          ConstView<std::type_identity_t<T>> b, T beta, View<T> c) {
  const std::int64_t inner = op_a == Op::none ? a.columns : a.rows;
  RANKINE_EXPECTS((op_a == Op::none ? a.rows : a.columns) == c.rows, "rows of op(A) and C agree");
  RANKINE_EXPECTS((op_b == Op::none ? b.rows : b.columns) == inner, "inner dimensions agree");
  RANKINE_EXPECTS((op_b == Op::none ? b.columns : b.rows) == c.columns,
                  "columns of op(B), C agree");
  const int m = blas_int(c.rows), n = blas_int(c.columns), k = blas_int(inner);
  const int lda = leading(a.leading), ldb = leading(b.leading), ldc = leading(c.leading);
  count<T>(2.0 * m * n * k);
  fortran::gemm(letter(op_a), letter(op_b), &m, &n, &k, &alpha, a.data, &lda, b.data, &ldb, &beta,
                c.data, &ldc);
}

template <Scalar T>
void herk(Op op, ConstView<std::type_identity_t<T>> a, Real<T> beta, View<T> c) {
  RANKINE_EXPECTS(c.rows == c.columns, "a Gram matrix is square");
  const char upper = 'U', trans = op == Op::none ? 'N' : is_complex<T> ? 'C' : 'T';
  const int n = blas_int(c.rows), k = blas_int(op == Op::none ? a.columns : a.rows);
  const int lda = leading(a.leading), ldc = leading(c.leading);
  const Real<T> one = 1;
  count<T>(double(n) * (n + 1.0) * k);
  fortran::herk(&upper, &trans, &n, &k, &one, a.data, &lda, &beta, c.data, &ldc);
}

#define RANKINE_INSTANTIATE(T)                                           \
  template void gemm<T>(Op, Op, T, ConstView<std::type_identity_t<T>>,   \
                        ConstView<std::type_identity_t<T>>, T, View<T>); \
  template void herk<T>(Op, ConstView<std::type_identity_t<T>>, Real<T>, View<T>);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::linalg
