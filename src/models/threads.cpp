#include "models/threads.hpp"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include "linalg/blas.hpp"

namespace rankine::models {

void set_tensor_threads(int threads) {
  at::set_num_threads(threads);
  linalg::set_blas_threads(1);
}

std::string tensor_library_version() { return TORCH_VERSION; }

}  // namespace rankine::models
