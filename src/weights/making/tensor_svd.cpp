#include "weights/making/tensor_svd.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "linalg/svd/svd.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// The memory of a column-major matrix is that of its transpose, row by row.
Tensor transposed(const linalg::Matrix<double>& matrix) {
  return torch::from_blob(const_cast<double*>(matrix.data()), {matrix.columns(), matrix.rows()},
                          torch::kFloat64);
}

}  // namespace

TensorSvd leading_triplets(const Tensor& a, std::int64_t max_rank) {
  RANKINE_EXPECTS(a.dim() == 2 && a.scalar_type() == torch::kFloat64, "a is a float64 matrix");
  const Tensor rows = a.contiguous();
  linalg::Matrix<double> adjoint(a.size(1), a.size(0));
  std::copy_n(rows.data_ptr<double>(), rows.numel(), adjoint.data());
  const auto svd = linalg::svd(std::move(adjoint), linalg::Truncation{.max_rank = max_rank});
  return {transposed(svd.vh).narrow(1, 0, svd.rank()).clone(at::MemoryFormat::Contiguous),
          torch::tensor(svd.singular_values, torch::kFloat64),
          transposed(svd.u).narrow(0, 0, svd.rank()).clone(at::MemoryFormat::Contiguous)};
}

}  // namespace rankine::weights
