// The Fortran symbols of BLAS and LAPACK this room calls, overloaded on the scalar type. Included
// by .cpp files only.
#pragma once

#include <complex>

namespace rankine::linalg::fortran {

using c32 = std::complex<float>;
using c64 = std::complex<double>;

#define RANKINE_FORTRAN(T, R, x, herk_name)                                                        \
  extern "C" void x##tpqrt_(const int*, const int*, const int*, const int*, T*, const int*, T*,    \
                            const int*, T*, const int*, T*, int*);                                 \
  extern "C" void x##trsm_(const char*, const char*, const char*, const char*, const int*,         \
                           const int*, const T*, const T*, const int*, T*, const int*);            \
  inline int tpqrt(int m, int n, int l, int nb, T* a, int lda, T* b, int ldb, T* t, T* work) {     \
    int info = 0;                                                                                  \
    x##tpqrt_(&m, &n, &l, &nb, a, &lda, b, &ldb, t, &nb, work, &info);                             \
    return info;                                                                                   \
  }                                                                                                \
  inline void trsm(const char* side, const char* uplo, int m, int n, const T* a, int lda, T* b,    \
                   int ldb) {                                                                      \
    const T one(1);                                                                                \
    x##trsm_(side, uplo, "N", "N", &m, &n, &one, a, &lda, b, &ldb);                                \
  }                                                                                                \
  extern "C" void x##gemm_(const char*, const char*, const int*, const int*, const int*, const T*, \
                           const T*, const int*, const T*, const int*, const T*, T*, const int*);  \
  extern "C" void herk_name##_(const char*, const char*, const int*, const int*, const R*,         \
                               const T*, const int*, const R*, T*, const int*);                    \
  extern "C" void x##pstrf_(const char*, const int*, T*, const int*, int*, int*, const R*, R*,     \
                            int*);                                                                 \
  extern "C" void x##geqrf_(const int*, const int*, T*, const int*, T*, T*, const int*, int*);     \
  inline void gemm(const char* ta, const char* tb, const int* m, const int* n, const int* k,       \
                   const T* alpha, const T* a, const int* lda, const T* b, const int* ldb,         \
                   const T* beta, T* c, const int* ldc) {                                          \
    x##gemm_(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                \
  }                                                                                                \
  inline void herk(const char* uplo, const char* trans, const int* n, const int* k,                \
                   const R* alpha, const T* a, const int* lda, const R* beta, T* c,                \
                   const int* ldc) {                                                               \
    herk_name##_(uplo, trans, n, k, alpha, a, lda, beta, c, ldc);                                  \
  }                                                                                                \
  inline void pstrf(const char* uplo, const int* n, T* a, const int* lda, int* pivots, int* rank,  \
                    const R* tolerance, R* work, int* info) {                                      \
    x##pstrf_(uplo, n, a, lda, pivots, rank, tolerance, work, info);                               \
  }                                                                                                \
  inline void geqrf(const int* m, const int* n, T* a, const int* lda, T* tau, T* work,             \
                    const int* lwork, int* info) {                                                 \
    x##geqrf_(m, n, a, lda, tau, work, lwork, info);                                               \
  }

RANKINE_FORTRAN(float, float, s, ssyrk)
RANKINE_FORTRAN(double, double, d, dsyrk)
RANKINE_FORTRAN(c32, float, c, cherk)
RANKINE_FORTRAN(c64, double, z, zherk)
#undef RANKINE_FORTRAN

// The complex SVD routines take one argument more (rwork) than the real ones.
#define RANKINE_FORTRAN_SVD(T, x)                                                                  \
  extern "C" void x##gesdd_(const char*, const int*, const int*, T*, const int*, T*, T*,           \
                            const int*, T*, const int*, T*, const int*, int*, int*);               \
  extern "C" void x##gesvd_(const char*, const char*, const int*, const int*, T*, const int*, T*,  \
                            T*, const int*, T*, const int*, T*, const int*, int*);                 \
  inline void gesdd(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u, \
                    const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, T*,         \
                    int* iwork, int* info) {                                                       \
    x##gesdd_(job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork, info);                   \
  }                                                                                                \
  inline void gesvd(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u, \
                    const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, T*,         \
                    int* info) {                                                                   \
    x##gesvd_(job, job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, info);                     \
  }
#define RANKINE_FORTRAN_CSVD(T, R, x)                                                              \
  extern "C" void x##gesdd_(const char*, const int*, const int*, T*, const int*, R*, T*,           \
                            const int*, T*, const int*, T*, const int*, R*, int*, int*);           \
  extern "C" void x##gesvd_(const char*, const char*, const int*, const int*, T*, const int*, R*,  \
                            T*, const int*, T*, const int*, T*, const int*, R*, int*);             \
  inline void gesdd(const char* job, const int* m, const int* n, T* a, const int* lda, R* s, T* u, \
                    const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, R* rwork,   \
                    int* iwork, int* info) {                                                       \
    x##gesdd_(job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, rwork, iwork, info);            \
  }                                                                                                \
  inline void gesvd(const char* job, const int* m, const int* n, T* a, const int* lda, R* s, T* u, \
                    const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, R* rwork,   \
                    int* info) {                                                                   \
    x##gesvd_(job, job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, rwork, info);              \
  }

RANKINE_FORTRAN_SVD(float, s)
RANKINE_FORTRAN_SVD(double, d)
RANKINE_FORTRAN_CSVD(c32, float, c)
RANKINE_FORTRAN_CSVD(c64, double, z)
#undef RANKINE_FORTRAN_SVD
#undef RANKINE_FORTRAN_CSVD

#define RANKINE_FORM_Q(T, name)                                                             \
  extern "C" void name##_(const int*, const int*, const int*, T*, const int*, const T*, T*, \
                          const int*, int*);                                                \
  inline int form_q(int m, int n, int k, T* a, int lda, const T* tau, T* work, int size) {  \
    int info = 0;                                                                           \
    name##_(&m, &n, &k, a, &lda, tau, work, &size, &info);                                  \
    return info;                                                                            \
  }
RANKINE_FORM_Q(float, sorgqr)
RANKINE_FORM_Q(double, dorgqr)
RANKINE_FORM_Q(c32, cungqr)
RANKINE_FORM_Q(c64, zungqr)
#undef RANKINE_FORM_Q

// Hermitian eigenproblem; the complex routines take one work array (rwork) more.
#define RANKINE_HEEVD(T, x)                                                                      \
  extern "C" void x##syevd_(const char*, const char*, const int*, T*, const int*, T*, T*,        \
                            const int*, int*, const int*, int*);                                 \
  inline int heevd(int n, T* a, T* w, T* work, int size, T*, int, int* int_work, int int_size) { \
    int info = 0;                                                                                \
    x##syevd_("V", "U", &n, a, &n, w, work, &size, int_work, &int_size, &info);                  \
    return info;                                                                                 \
  }
#define RANKINE_CHEEVD(T, R, x)                                                                \
  extern "C" void x##heevd_(const char*, const char*, const int*, T*, const int*, R*, T*,      \
                            const int*, R*, const int*, int*, const int*, int*);               \
  inline int heevd(int n, T* a, R* w, T* work, int size, R* real_work, int real_size,          \
                   int* int_work, int int_size) {                                              \
    int info = 0;                                                                              \
    x##heevd_("V", "U", &n, a, &n, w, work, &size, real_work, &real_size, int_work, &int_size, \
              &info);                                                                          \
    return info;                                                                               \
  }
RANKINE_HEEVD(float, s)
RANKINE_HEEVD(double, d)
RANKINE_CHEEVD(c32, float, c)
RANKINE_CHEEVD(c64, double, z)
#undef RANKINE_HEEVD
#undef RANKINE_CHEEVD

}  // namespace rankine::linalg::fortran
