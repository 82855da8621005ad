// From a matrix to an operator of two sites between circuits of gates: power iteration for the
// operator and polar factors for the gates, in turn.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "weights/forms/disentangled.hpp"
#include "weights/making/disentangling_start.hpp"

namespace rankine::weights {

struct DisentanglingOptions {
  BrickworkShape circuit;
  std::int64_t bond_dimension = 1;
  int sweeps = 20;  ///< at most
  DisentanglingStart start = DisentanglingStart::identity;
};

struct DisentanglingReport {
  /// <W, U_L M U_R> / (||W|| ||M||) where all gates are identities: what an operator alone keeps.
  double overlap_alone = 0;
  /// At the start of the sweeps and after each; never falls.
  std::vector<double> overlaps;
  /// Entropies of the squared singular values of U_L^T W U_R^T across the cut, in nat, with all
  /// gates identities and in the end; nothing where a site is too large (OperatorCore::converge).
  std::optional<double> entropy_alone, entropy;

  /// Both, or none.
  std::vector<double> entropies() const {
    return entropy_alone && entropy ? std::vector{*entropy_alone, *entropy} : std::vector<double>();
  }
};

/// Sizes of the circuits of a matrix; numbers of its gates on both sides.
struct SidesOfGates {
  std::vector<BlockLayout> outputs, inputs;
};
SidesOfGates gates_on(const MatrixShape& shape, const BrickworkShape& circuit);
std::int64_t gate_numbers_on(const MatrixShape& shape, const BrickworkShape& circuit);

/// Collective over the team, whose ranks each need memory for a few times their own rows. The
/// gates of U_L and U_R need all of an axis, so the matrix lies in row blocks for one side and in
/// column blocks for the other: one exchange for each half sweep. Computed in the type of
/// `own_rows` (float32 or float64) and stored so. Throws NumericalError on all ranks: the weight is
/// not finite or zero.
std::unique_ptr<Disentangled> make_disentangled(const parallel::Communicator& team,
                                                const RowSplit& split,
                                                const torch::Tensor& own_rows,
                                                const DisentanglingOptions& options,
                                                DisentanglingReport* report = nullptr);

/// A weight with tensors as large as those that make_disentangled makes, to be overwritten.
std::unique_ptr<Disentangled> blank_disentangled(const parallel::Communicator& team,
                                                 const RowSplit& split, std::int64_t inputs,
                                                 const DisentanglingOptions& options,
                                                 torch::ScalarType type);

/// Tensors as rank `root` has them; shapes are the same on all ranks. Collective over `ranks`.
void broadcast_tensors(const parallel::Communicator& ranks, const Disentangled& weight, int root);

}  // namespace rankine::weights
