#include "linalg/matrix_vector.hpp"

#include <algorithm>

#include "linalg/blas.hpp"
#include "linalg/operation_count.hpp"

extern "C" {
void sgemv_(const char*, const int*, const int*, const float*, const float*, const int*,
            const float*, const int*, const float*, float*, const int*);
void dgemv_(const char*, const int*, const int*, const double*, const double*, const int*,
            const double*, const int*, const double*, double*, const int*);
}

namespace rankine::linalg {

template <class T>
void gemv(Op op, ConstView<std::type_identity_t<T>> a, const T* x, T* y) {
  const int m = blas_int(a.rows), n = blas_int(a.columns), step = 1;
  const int leading = blas_int(std::max<std::int64_t>(a.leading, 1));
  const T one = 1, zero = 0;
  count<T>(2.0 * m * n);
  if constexpr (std::is_same_v<T, float>)
    sgemv_(letter(op), &m, &n, &one, a.data, &leading, x, &step, &zero, y, &step);
  else
    dgemv_(letter(op), &m, &n, &one, a.data, &leading, x, &step, &zero, y, &step);
}

template void gemv<float>(Op, ConstView<float>, const float*, float*);
template void gemv<double>(Op, ConstView<double>, const double*, double*);

}  // namespace rankine::linalg
