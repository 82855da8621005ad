#include "models/threads.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

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

std::string tensor_library_version() { return TORCH_VERSION; }

}  // namespace rankine::models
