// Kernels as low-rank matrices, as matrix-product operators and truncated along a cut.
#include <algorithm>
#include <cmath>

#include "compress/kernels/kernel_forms.hpp"
#include "weights/forms/dense.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/making/kernel_cuts.hpp"
#include "weights/making/matrix_product_factorisation.hpp"
#include "weights/making/ridge.hpp"
#include "weights/making/tensor_svd.hpp"

namespace rankine::compress {

using parallel::Communicator;
using torch::Tensor;
using weights::KernelShape;
using weights::RowSplit;

namespace {

/// Ranks that are worth a point of the curve.
std::vector<std::int64_t> ranks_up_to(std::int64_t full, std::int64_t multiple) {
  std::vector<std::int64_t> ranks;
  for (std::int64_t rank = multiple; rank < full; rank += multiple) ranks.push_back(rank);
  return ranks;
}

class LowRankKernel final : public KernelForm {
 public:
  LowRankKernel(const KernelShape& shape, std::int64_t multiple)
      : shape_(shape), multiple_(multiple) {}

  weights::Form form() const override { return weights::Form::low_rank; }
  KernelRanks full() const override { return {std::min(shape_.outputs, shape_.columns())}; }
  std::int64_t numbers(const KernelRanks& ranks) const override {
    return ranks[0] * (shape_.outputs + shape_.columns());
  }

  std::vector<KernelPoint> points(const KernelProblem& problem) const override {
    const weights::TensorSvd svd = decompose(problem).svd;
    const Tensor tails = svd.values.square().flip({0}).cumsum(0).flip({0});
    std::vector<KernelPoint> points;
    for (const std::int64_t rank : ranks_up_to(full()[0], multiple_))
      points.push_back({{rank}, numbers({rank}), tails[rank].item<double>()});
    return points;
  }

  /// Left and right factor; U_r U_r^T R^T W without an inverse of S.
  std::vector<Tensor> make(const KernelProblem& problem, const KernelRanks& ranks) const override {
    const Decomposed decomposed = decompose(problem);
    const Tensor u = decomposed.svd.u.narrow(1, 0, ranks[0]);
    if (!decomposed.output_root.defined()) return {u, u.t().matmul(problem.matrix)};
    const Tensor& root = decomposed.output_root;  // lower triangle of R R^T
    return {at::linalg_solve_triangular(root.t(), u, /*upper=*/true),
            u.t().matmul(root.t().matmul(problem.matrix))};
  }

  std::shared_ptr<weights::Weight> weight(const Communicator& team,
                                          const std::vector<Tensor>& tensors,
                                          torch::ScalarType type) const override {
    return weights::make_low_rank(team, RowSplit::even(shape_.outputs, 1), tensors[0], tensors[1],
                                  type);
  }

 private:
  struct Decomposed {
    weights::TensorSvd svd;  ///< of R^T W S
    Tensor output_root = {};
  };

  Decomposed decompose(const KernelProblem& problem) const {
    Decomposed decomposed;
    Tensor weighted = problem.matrix;
    if (problem.norm.inputs.defined())
      weighted = weighted.matmul(torch::linalg_cholesky(problem.norm.inputs));
    if (problem.norm.outputs.defined()) {
      decomposed.output_root = torch::linalg_cholesky(problem.norm.outputs);
      weighted = decomposed.output_root.t().matmul(weighted);
    }
    decomposed.svd = weights::leading_triplets(weighted.contiguous(), full()[0]);
    return decomposed;
  }

  KernelShape shape_;
  std::int64_t multiple_;
};

class MatrixProductKernel final : public KernelForm {
 public:
  MatrixProductKernel(const KernelShape& shape, std::int64_t multiple, int sweeps)
      : shape_(shape), legs_(weights::kernel_legs(shape)), multiple_(multiple), sweeps_(sweeps) {}

  weights::Form form() const override { return weights::Form::matrix_product; }
  KernelRanks full() const override {
    std::int64_t left = 1, largest = 1;
    const std::int64_t all = shape_.dense_numbers();
    for (std::size_t k = 0; k + 1 < legs_.rows.size(); ++k) {
      left *= legs_.rows[k] * legs_.columns[k];
      largest = std::max(largest, std::min(left, all / left));
    }
    return {largest};
  }
  std::int64_t numbers(const KernelRanks& ranks) const override {
    return weights::stored_numbers_for(legs_.rows, legs_.columns, ranks[0]);
  }

  std::vector<KernelPoint> points(const KernelProblem& problem) const override {
    const std::vector<double> errors = weights::bond_errors(problem.matrix, options(problem));
    std::vector<KernelPoint> points;
    for (const std::int64_t bond : ranks_up_to(full()[0], multiple_))
      if (static_cast<std::size_t>(bond) < errors.size())
        points.push_back({{bond}, numbers({bond}), errors[static_cast<std::size_t>(bond)]});
    return points;
  }

  std::vector<Tensor> make(const KernelProblem& problem, const KernelRanks& ranks) const override {
    weights::MatrixProductOptions how = options(problem);
    how.bond_dimension = ranks[0];
    return weights::make_cores(problem.matrix, how);
  }

  std::shared_ptr<weights::Weight> weight(const Communicator& team,
                                          const std::vector<Tensor>& tensors,
                                          torch::ScalarType type) const override {
    std::vector<Tensor> cores;
    for (const Tensor& core : tensors)
      cores.push_back(core.to(type).clone(at::MemoryFormat::Contiguous));
    return std::make_shared<weights::MatrixProduct>(team, RowSplit::even(shape_.outputs, 1),
                                                    std::move(cores));
  }

 private:
  weights::MatrixProductOptions options(const KernelProblem& problem) const {
    return {.row_legs = legs_.rows,
            .column_legs = legs_.columns,
            .norm = problem.norm,
            .sweeps = sweeps_};
  }

  KernelShape shape_;
  weights::OperatorLegs legs_;
  std::int64_t multiple_;
  int sweeps_;
};

class CutKernel final : public KernelForm {
 public:
  CutKernel(const KernelShape& shape, weights::KernelCut cut, std::int64_t multiple)
      : shape_(shape), matrix_(weights::cut_shape(cut, shape)), cut_(cut), multiple_(multiple) {}

  weights::Form form() const override { return weights::Form::cut; }
  KernelRanks full() const override { return {matrix_.full_rank()}; }
  /// Of the two factors that the kernel is a product of, though it is stored whole.
  std::int64_t numbers(const KernelRanks& ranks) const override {
    return ranks[0] * (matrix_.rows + matrix_.columns);
  }

  std::vector<KernelPoint> points(const KernelProblem& problem) const override {
    const weights::DecomposedKernel decomposed(kernel_of(problem), cut_);
    std::vector<KernelPoint> points;
    for (const std::int64_t rank : ranks_up_to(full()[0], multiple_)) {
      const Tensor error = decomposed.truncated(rank).view_as(problem.matrix) - problem.matrix;
      points.push_back({{rank}, numbers({rank}), problem.norm.squared(error)});
    }
    return points;
  }

  std::vector<Tensor> make(const KernelProblem& problem, const KernelRanks& ranks) const override {
    return {weights::truncate_kernel(kernel_of(problem), cut_, ranks[0])};
  }

  std::shared_ptr<weights::Weight> weight(const Communicator& team,
                                          const std::vector<Tensor>& tensors,
                                          torch::ScalarType type) const override {
    return std::make_shared<weights::Dense>(
        team, RowSplit::even(shape_.outputs, 1),
        tensors[0].to(type).reshape({shape_.outputs, shape_.columns()}).contiguous());
  }

 private:
  Tensor kernel_of(const KernelProblem& problem) const {
    return problem.matrix.view({shape_.outputs, shape_.inputs, shape_.height, shape_.width});
  }

  KernelShape shape_;
  weights::MatrixShape matrix_;
  weights::KernelCut cut_;
  std::int64_t multiple_;
};

}  // namespace

std::unique_ptr<KernelForm> low_rank_kernel(const Kernel& kernel, const CompressOptions& options) {
  return std::make_unique<LowRankKernel>(kernel.shape, options.ranks.multiple_of);
}

std::unique_ptr<KernelForm> matrix_product_kernel(const Kernel& kernel,
                                                  const CompressOptions& options) {
  return std::make_unique<MatrixProductKernel>(kernel.shape, options.ranks.multiple_of,
                                               static_cast<int>(options.method.sweeps));
}

std::unique_ptr<KernelForm> cut_kernel(const Kernel& kernel, const CompressOptions& options) {
  return std::make_unique<CutKernel>(kernel.shape, options.method.cut, options.ranks.multiple_of);
}

}  // namespace rankine::compress
