// Keeps BLAS to one thread while OpenMP threads call it side by side.
#pragma once

#include "linalg/blas.hpp"

namespace rankine::weights {

/// One thread per BLAS call while it lives; then as many as before.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas() : before_(linalg::blas_threads()) {
    if (before_ != 1) linalg::set_blas_threads(1);
  }
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;
  ~SingleThreadedBlas() {
    if (before_ != 1) linalg::set_blas_threads(before_);
  }

 private:
  int before_;
};

}  // namespace rankine::weights
