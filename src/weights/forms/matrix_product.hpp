// A weight as a matrix-product operator: a chain of small cores (CompactifAI, arXiv:2401.14109).
//
// Row index i = (i_1, ..., i_N) and column index j = (j_1, ..., j_N), the first leg slowest:
// W[i, j] = G_1[i_1, j_1] G_2[i_2, j_2] ... G_N[i_N, j_N], with cores G_k of shape
// chi_{k-1} x m_k x n_k x chi_k, chi_0 = chi_N = 1.
#pragma once

#include <memory>

#include "weights/forms/kernel_shape.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// Every rank holds all cores and contracts them to its own rows: at useful bond dimensions that is
/// less work than to contract them with every token.
class MatrixProduct final : public MaterialisedWeight {
 public:
  /// `cores` are the same on all ranks.
  MatrixProduct(const parallel::Communicator& team, RowSplit split,
                std::vector<torch::Tensor> cores);

  Form form() const override { return Form::matrix_product; }
  std::int64_t kept_rank() const override;
  std::int64_t inputs() const override;
  std::vector<Parameter> parameters() const override;
  /// The bond dimensions between the sites.
  std::vector<std::int64_t> bond_dimensions() const;

 private:
  torch::Tensor compute_rows() const override;

  std::vector<torch::Tensor> cores_;
};

/// W with its legs in pairs, (i_1 j_1) slowest: m_1 x n_1 x m_2 x n_2 x ..., contiguous.
torch::Tensor paired_legs(const torch::Tensor& w, const std::vector<std::int64_t>& row_legs,
                          const std::vector<std::int64_t>& column_legs);

/// Rows [first, first + count) of the operator: count x product of the column legs. Differentiable.
torch::Tensor contract_rows(const std::vector<torch::Tensor>& cores, std::int64_t first,
                            std::int64_t count);

/// `size` as a product of `sites` factors as equal as its divisors allow, ascending: 576, 3 ->
/// {8, 8, 9}.
std::vector<std::int64_t> balanced_legs(std::int64_t size, int sites);

/// Legs of an operator that stands for a kernel: outputs in two, inputs in two, height x width at
/// the last site, which a kernel of one pixel does not have.
struct OperatorLegs {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;
};
OperatorLegs kernel_legs(const KernelShape& shape);

/// Numbers in the cores at a largest bond dimension.
std::int64_t stored_numbers_for(const std::vector<std::int64_t>& row_legs,
                                const std::vector<std::int64_t>& column_legs,
                                std::int64_t bond_dimension);

/// The largest bond dimension whose cores hold at most `budget` numbers; 0 if there is none.
std::int64_t bond_dimension_for(const std::vector<std::int64_t>& row_legs,
                                const std::vector<std::int64_t>& column_legs, std::int64_t budget);

/// The same two for the balanced legs of a matrix.
std::int64_t matrix_product_numbers(const MatrixShape& shape, int sites,
                                    std::int64_t bond_dimension);
std::int64_t largest_matrix_product(const MatrixShape& shape, int sites, std::int64_t budget);

std::unique_ptr<Weight> read_matrix_product(const parallel::Communicator& team,
                                            const DenseSource& source,
                                            const StoredTensors& tensors);

}  // namespace rankine::weights
