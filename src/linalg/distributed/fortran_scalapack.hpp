// The Fortran symbols of ScaLAPACK and PBLAS this room calls, overloaded on the scalar type.
// Included by .cpp files only.
#pragma once

#include <complex>

namespace rankine::linalg::fortran {

using c32 = std::complex<float>;
using c64 = std::complex<double>;

/// Where a distributed operand begins: the array, its first row and column (from 1), descriptor.
template <class T>
struct Operand {
  T* data;
  int row;
  int column;
  int descriptor[9];
};

#define RANKINE_PBLAS(T, R, x, herk_name)                                                          \
  extern "C" void p##x##gemm_(const char*, const char*, const int*, const int*, const int*,        \
                              const T*, const T*, const int*, const int*, const int*, const T*,    \
                              const int*, const int*, const int*, const T*, T*, const int*,        \
                              const int*, const int*);                                             \
  extern "C" void herk_name##_(const char*, const char*, const int*, const int*, const R*,         \
                               const T*, const int*, const int*, const int*, const R*, T*,         \
                               const int*, const int*, const int*);                                \
  extern "C" void p##x##trsm_(const char*, const char*, const char*, const char*, const int*,      \
                              const int*, const T*, const T*, const int*, const int*, const int*,  \
                              T*, const int*, const int*, const int*);                             \
  extern "C" void p##x##potrf_(const char*, const int*, T*, const int*, const int*, const int*,    \
                               int*);                                                              \
  extern "C" void p##x##geqrf_(const int*, const int*, T*, const int*, const int*, const int*, T*, \
                               T*, const int*, int*);                                              \
  inline void pgemm(const char* ta, const char* tb, int m, int n, int k, T alpha,                  \
                    const Operand<const T>& a, const Operand<const T>& b, T beta,                  \
                    const Operand<T>& c) {                                                         \
    p##x##gemm_(ta, tb, &m, &n, &k, &alpha, a.data, &a.row, &a.column, a.descriptor, b.data,       \
                &b.row, &b.column, b.descriptor, &beta, c.data, &c.row, &c.column, c.descriptor);  \
  }                                                                                                \
  inline void pherk(const char* uplo, const char* trans, int n, int k, R alpha,                    \
                    const Operand<const T>& a, R beta, const Operand<T>& c) {                      \
    herk_name##_(uplo, trans, &n, &k, &alpha, a.data, &a.row, &a.column, a.descriptor, &beta,      \
                 c.data, &c.row, &c.column, c.descriptor);                                         \
  }                                                                                                \
  inline void ptrsm(const char* side, const char* uplo, const char* trans, const char* diagonal,   \
                    int m, int n, T alpha, const Operand<const T>& a, const Operand<T>& b) {       \
    p##x##trsm_(side, uplo, trans, diagonal, &m, &n, &alpha, a.data, &a.row, &a.column,            \
                a.descriptor, b.data, &b.row, &b.column, b.descriptor);                            \
  }                                                                                                \
  inline int ppotrf(const char* uplo, int n, const Operand<T>& a) {                                \
    int info = 0;                                                                                  \
    p##x##potrf_(uplo, &n, a.data, &a.row, &a.column, a.descriptor, &info);                        \
    return info;                                                                                   \
  }                                                                                                \
  inline int pgeqrf(int m, int n, const Operand<T>& a, T* tau, T* work, int size) {                \
    int info = 0;                                                                                  \
    p##x##geqrf_(&m, &n, a.data, &a.row, &a.column, a.descriptor, tau, work, &size, &info);        \
    return info;                                                                                   \
  }

RANKINE_PBLAS(float, float, s, pssyrk)
RANKINE_PBLAS(double, double, d, pdsyrk)
RANKINE_PBLAS(c32, float, c, pcherk)
RANKINE_PBLAS(c64, double, z, pzherk)
#undef RANKINE_PBLAS

#define RANKINE_FORM_Q(T, name)                                                                \
  extern "C" void name##_(const int*, const int*, const int*, T*, const int*, const int*,      \
                          const int*, const T*, T*, const int*, int*);                         \
  inline int pgqr(int m, int n, int k, const Operand<T>& a, const T* tau, T* work, int size) { \
    int info = 0;                                                                              \
    name##_(&m, &n, &k, a.data, &a.row, &a.column, a.descriptor, tau, work, &size, &info);     \
    return info;                                                                               \
  }
RANKINE_FORM_Q(float, psorgqr)
RANKINE_FORM_Q(double, pdorgqr)
RANKINE_FORM_Q(c32, pcungqr)
RANKINE_FORM_Q(c64, pzungqr)
#undef RANKINE_FORM_Q

// The complex eigensolver, SVD and pivoted QR take one work array more (rwork) than the real ones;
// `real_work` is not touched for real T.
#define RANKINE_REAL_SPECTRA(T, x)                                                                 \
  extern "C" void p##x##syevd_(const char*, const char*, const int*, T*, const int*, const int*,   \
                               const int*, T*, T*, const int*, const int*, const int*, T*,         \
                               const int*, int*, const int*, int*);                                \
  extern "C" void p##x##gesvd_(const char*, const char*, const int*, const int*, T*, const int*,   \
                               const int*, const int*, T*, T*, const int*, const int*, const int*, \
                               T*, const int*, const int*, const int*, T*, const int*, int*);      \
  extern "C" void p##x##geqpf_(const int*, const int*, T*, const int*, const int*, const int*,     \
                               int*, T*, T*, const int*, int*);                                    \
  inline int pheevd(int n, const Operand<T>& a, T* w, const Operand<T>& z, T* work, int size, T*,  \
                    int, int* int_work, int int_size) {                                            \
    int info = 0;                                                                                  \
    p##x##syevd_("V", "U", &n, a.data, &a.row, &a.column, a.descriptor, w, z.data, &z.row,         \
                 &z.column, z.descriptor, work, &size, int_work, &int_size, &info);                \
    return info;                                                                                   \
  }                                                                                                \
  inline int pgesvd(int m, int n, const Operand<T>& a, T* s, const Operand<T>& u,                  \
                    const Operand<T>& vh, T* work, int size, T*) {                                 \
    int info = 0;                                                                                  \
    p##x##gesvd_("V", "V", &m, &n, a.data, &a.row, &a.column, a.descriptor, s, u.data, &u.row,     \
                 &u.column, u.descriptor, vh.data, &vh.row, &vh.column, vh.descriptor, work,       \
                 &size, &info);                                                                    \
    return info;                                                                                   \
  }                                                                                                \
  inline int pgeqpf(int m, int n, const Operand<T>& a, int* pivots, T* tau, T* work, int size, T*, \
                    int) {                                                                         \
    int info = 0;                                                                                  \
    p##x##geqpf_(&m, &n, a.data, &a.row, &a.column, a.descriptor, pivots, tau, work, &size,        \
                 &info);                                                                           \
    return info;                                                                                   \
  }
#define RANKINE_COMPLEX_SPECTRA(T, R, x)                                                           \
  extern "C" void p##x##heevd_(const char*, const char*, const int*, T*, const int*, const int*,   \
                               const int*, R*, T*, const int*, const int*, const int*, T*,         \
                               const int*, R*, const int*, int*, const int*, int*);                \
  extern "C" void p##x##gesvd_(const char*, const char*, const int*, const int*, T*, const int*,   \
                               const int*, const int*, R*, T*, const int*, const int*, const int*, \
                               T*, const int*, const int*, const int*, T*, const int*, R*, int*);  \
  extern "C" void p##x##geqpf_(const int*, const int*, T*, const int*, const int*, const int*,     \
                               int*, T*, T*, const int*, R*, const int*, int*);                    \
  inline int pheevd(int n, const Operand<T>& a, R* w, const Operand<T>& z, T* work, int size,      \
                    R* real_work, int real_size, int* int_work, int int_size) {                    \
    int info = 0;                                                                                  \
    p##x##heevd_("V", "U", &n, a.data, &a.row, &a.column, a.descriptor, w, z.data, &z.row,         \
                 &z.column, z.descriptor, work, &size, real_work, &real_size, int_work, &int_size, \
                 &info);                                                                           \
    return info;                                                                                   \
  }                                                                                                \
  inline int pgesvd(int m, int n, const Operand<T>& a, R* s, const Operand<T>& u,                  \
                    const Operand<T>& vh, T* work, int size, R* real_work) {                       \
    int info = 0;                                                                                  \
    p##x##gesvd_("V", "V", &m, &n, a.data, &a.row, &a.column, a.descriptor, s, u.data, &u.row,     \
                 &u.column, u.descriptor, vh.data, &vh.row, &vh.column, vh.descriptor, work,       \
                 &size, real_work, &info);                                                         \
    return info;                                                                                   \
  }                                                                                                \
  inline int pgeqpf(int m, int n, const Operand<T>& a, int* pivots, T* tau, T* work, int size,     \
                    R* real_work, int real_size) {                                                 \
    int info = 0;                                                                                  \
    p##x##geqpf_(&m, &n, a.data, &a.row, &a.column, a.descriptor, pivots, tau, work, &size,        \
                 real_work, &real_size, &info);                                                    \
    return info;                                                                                   \
  }

RANKINE_REAL_SPECTRA(float, s)
RANKINE_REAL_SPECTRA(double, d)
RANKINE_COMPLEX_SPECTRA(c32, float, c)
RANKINE_COMPLEX_SPECTRA(c64, double, z)
#undef RANKINE_REAL_SPECTRA
#undef RANKINE_COMPLEX_SPECTRA

// The `count` lowest eigenpairs by p?syevr and p?heevr (MRRR).
#define RANKINE_REAL_PARTIAL(T, x)                                                                 \
  extern "C" void p##x##syevr_(const char*, const char*, const char*, const int*, T*, const int*,  \
                               const int*, const int*, const T*, const T*, const int*, const int*, \
                               int*, int*, T*, T*, const int*, const int*, const int*, T*,         \
                               const int*, int*, const int*, int*);                                \
  inline int pheevr(int n, int count, const Operand<T>& a, int* found, T* w, const Operand<T>& z,  \
                    T* work, int size, T*, int, int* int_work, int int_size) {                     \
    int info = 0, vectors = 0;                                                                     \
    const int one = 1;                                                                             \
    const T unused = 0;                                                                            \
    p##x##syevr_("V", "I", "U", &n, a.data, &a.row, &a.column, a.descriptor, &unused, &unused,     \
                 &one, &count, found, &vectors, w, z.data, &z.row, &z.column, z.descriptor, work,  \
                 &size, int_work, &int_size, &info);                                               \
    return info;                                                                                   \
  }
#define RANKINE_COMPLEX_PARTIAL(T, R, x)                                                           \
  extern "C" void p##x##heevr_(const char*, const char*, const char*, const int*, T*, const int*,  \
                               const int*, const int*, const R*, const R*, const int*, const int*, \
                               int*, int*, R*, T*, const int*, const int*, const int*, T*,         \
                               const int*, R*, const int*, int*, const int*, int*);                \
  inline int pheevr(int n, int count, const Operand<T>& a, int* found, R* w, const Operand<T>& z,  \
                    T* work, int size, R* real_work, int real_size, int* int_work, int int_size) { \
    int info = 0, vectors = 0;                                                                     \
    const int one = 1;                                                                             \
    const R unused = 0;                                                                            \
    p##x##heevr_("V", "I", "U", &n, a.data, &a.row, &a.column, a.descriptor, &unused, &unused,     \
                 &one, &count, found, &vectors, w, z.data, &z.row, &z.column, z.descriptor, work,  \
                 &size, real_work, &real_size, int_work, &int_size, &info);                        \
    return info;                                                                                   \
  }
RANKINE_REAL_PARTIAL(float, s)
RANKINE_REAL_PARTIAL(double, d)
RANKINE_COMPLEX_PARTIAL(c32, float, c)
RANKINE_COMPLEX_PARTIAL(c64, double, z)
#undef RANKINE_REAL_PARTIAL
#undef RANKINE_COMPLEX_PARTIAL

}  // namespace rankine::linalg::fortran
