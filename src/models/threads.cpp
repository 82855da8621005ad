#include "models/threads.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <malloc.h>
#include <torch/version.h>

#include <limits>

#include "linalg/blas.hpp"

namespace rankine::models {

void set_tensor_threads(int threads) {
  at::set_num_threads(threads);
  linalg::set_blas_threads(1);
  // This thread first: those that it makes later begin as it is.
  at::globalContext().setFlushDenormal(true);
#pragma omp parallel num_threads(threads)
  at::globalContext().setFlushDenormal(true);
}

void set_image_threads(int threads) {
  set_tensor_threads(threads);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#pragma omp parallel num_threads(threads)
  at::globalContext().setFlushDenormal(true);
}

std::string tensor_library_version() { return TORCH_VERSION; }

}  // namespace rankine::models
