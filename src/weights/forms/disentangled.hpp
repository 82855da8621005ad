// A weight as a matrix-product operator of two sites between circuits of orthogonal gates,
// W = U_L M U_R (arXiv:2410.17397).
//
// Row index i = (i_1, i_2), column index j = (j_1, j_2), the first leg slowest: M[i, j] =
// sum_c G_1[i_1, j_1, c] G_2[c, i_2, j_2]. Gates act on the row index (U_L) or on the column index
// (U_R), across the cut between the sites, so that M needs a smaller bond than W.
#pragma once

#include <memory>

#include "weights/forms/weight.hpp"
#include "weights/rotations/gates.hpp"

namespace rankine::weights {

/// Every rank holds cores and gates. Rows are made from own columns of M, which all gates of U_L
/// act on locally, exchanged for own rows, on which those of U_R do: no rank gathers a matrix.
class Disentangled final : public MaterialisedWeight {
 public:
  /// All are the same on all ranks: `cores` 1 x m_1 x n_1 x chi and chi x m_2 x n_2 x 1; `outputs`
  /// are the gates of U_L, `inputs` those of U_R, which act on activations in their order.
  Disentangled(const parallel::Communicator& team, RowSplit split, std::vector<torch::Tensor> cores,
               GateCircuit outputs, GateCircuit inputs);

  Form form() const override { return Form::disentangled; }
  std::int64_t kept_rank() const override { return cores_.front().size(3); }
  std::int64_t inputs() const override { return cores_[0].size(2) * cores_[1].size(2); }
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;

  /// These share their memory with the weight.
  const std::vector<torch::Tensor>& cores() const { return cores_; }
  const GateCircuit& output_gates() const { return left_; }
  const GateCircuit& input_gates() const { return right_; }

 private:
  torch::Tensor compute_rows() const override;
  BlockCircuit shared(const GateCircuit& circuit) const;

  std::vector<torch::Tensor> cores_;
  GateCircuit left_, right_;
};

/// Numbers of the cores alone at a bond dimension, and the largest bond dimension within a budget
/// (0 if there is none); `sites` are always two.
std::int64_t disentangled_core_numbers(const MatrixShape& shape, int sites,
                                       std::int64_t bond_dimension);
std::int64_t largest_disentangled_core(const MatrixShape& shape, int sites, std::int64_t budget);

std::unique_ptr<Weight> read_disentangled(const parallel::Communicator& team,
                                          const DenseSource& source, const StoredTensors& tensors);

}  // namespace rankine::weights
