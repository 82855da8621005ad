#include "weights/making/disentangling.hpp"

#include <cmath>
#include <span>
#include <utility>

#include "core/errors.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/gate_sweep.hpp"
#include "weights/making/operator_core.hpp"
#include "weights/rows/block_exchange.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::weights {

using parallel::Communicator;
using torch::Tensor;

namespace {

/// Sweeps for the purity before those for the overlap.
constexpr int purity_sweeps = 4;

/// Sums of squares in float64, whatever the matrix is.
double squared_norm(const Communicator& team, const Tensor& own) {
  double sum = 0;
  for (std::int64_t row = 0; row < own.size(0); ++row)
    sum += own[row].to(torch::kFloat64).square().sum().item<double>();
  return team.sum(sum);
}

double entropy_of(const std::vector<double>& squares) {
  double sum = 0, entropy = 0;
  for (const double square : squares) sum += square;
  for (const double square : squares)
    if (square > 0) entropy -= square / sum * std::log(square / sum);
  return entropy;
}

/// U_L^T W U_R^T of which each rank has all rows of some columns, or all columns of some rows, and
/// the gates and the core that follow it.
class Disentangling {
 public:
  Disentangling(const Communicator& team, const RowSplit& split, const Tensor& own_rows,
                const DisentanglingOptions& options)
      : team_(team),
        split_(split),
        core_(team, split.total(), own_rows.size(1), options.bond_dimension,
              own_rows.scalar_type()),
        outputs_(team, gates_on(shape_of(split, own_rows), options.circuit).outputs),
        inputs_(team, gates_on(shape_of(split, own_rows), options.circuit).inputs),
        norm_(std::sqrt(squared_norm(team, own_rows))) {
    if (!(norm_ > 0) || !std::isfinite(norm_))
      throw known_to_all(team.size(),
                         NumericalError("A weight cannot be disentangled (it is zero or not "
                                        "finite). Leave it out, or check the model."));
    take(own_rows);
    core_.converge(t_, whole_);
  }

  double overlap() const { return core_.norm() / norm_; }
  std::optional<double> entropy() const {
    return core_.spectrum().empty() ? std::nullopt : std::optional(entropy_of(core_.spectrum()));
  }

  /// Gates of both sides once there and back, those first whose axis is whole already.
  void sweep() {
    for (const int half : {0, 1}) {
      if (half > 0) turn();
      pass([&] { return core_.contract(whole_); });
    }
  }
  void sweep_for_purity() {
    for (const int half : {0, 1}) {
      if (half > 0) turn();
      pass([&] { return core_.purity_gradient(whole_); });
    }
  }

  /// The best core of the matrix as it was given, without the rounding of many passes.
  void refresh(const Tensor& own_rows) {
    t_ = Tensor();
    take(own_rows);
    inputs_.undo(t_);
    turn();
    outputs_.undo(t_);
    core_.converge(t_, whole_);
  }

  std::unique_ptr<Disentangled> result(torch::ScalarType type) const {
    // What acts on W's columns from the right is the transposed circuit of what acts on W^T.
    std::vector<BlockLayout> layouts(inputs_.layouts().rbegin(), inputs_.layouts().rend());
    std::vector<Tensor> gates;
    for (auto gate = inputs_.gates().rbegin(); gate != inputs_.gates().rend(); ++gate)
      gates.push_back(gate->t().contiguous());
    return std::make_unique<Disentangled>(team_, split_, core_.cores(),
                                          circuit_of(outputs_.layouts(), outputs_.gates(), type),
                                          circuit_of(std::move(layouts), gates, type));
  }

 private:
  static MatrixShape shape_of(const RowSplit& split, const Tensor& own_rows) {
    return {split.total(), own_rows.size(1)};
  }

  /// Rows in the blocks of the core, transposed: all columns are whole.
  void take(const Tensor& own_rows) {
    const Tensor rows = exchange_rows(team_, own_rows, range_of(split_, team_.rank()),
                                      range_of(core_.own_rows(), team_.rank()));
    whole_ = WholeAxis::columns;
    t_ = parallel::agree_on_failure(team_, [&] { return rows.t().contiguous(); });
  }

  /// The other axis becomes whole.
  void turn() {
    const bool has_columns = whole_ == WholeAxis::columns;
    const Tensor other = std::exchange(t_, Tensor()).t();  // own x whole axis
    t_ = has_columns ? columns_of_rows(team_, other, core_.own_rows(), core_.own_columns())
                     : columns_of_rows(team_, other, core_.own_columns(), core_.own_rows());
    t_ = parallel::agree_on_failure(team_, [&] { return t_.contiguous(); });
    whole_ = has_columns ? WholeAxis::rows : WholeAxis::columns;
  }

  template <class Target>
  void pass(Target&& target) {
    GateSweep& gates = whole_ == WholeAxis::rows ? outputs_ : inputs_;
    if (gates.is_empty()) return;
    Tensor aim = parallel::agree_on_failure(team_, [&] { return target().contiguous(); });
    gates.outward(t_, aim);
    gates.inward(t_, aim);
    aim = Tensor();
    core_.follow(t_, whole_, 1);
  }

  const Communicator& team_;
  RowSplit split_;
  OperatorCore core_;
  GateSweep outputs_, inputs_;
  double norm_;
  Tensor t_;
  WholeAxis whole_ = WholeAxis::columns;
};

}  // namespace

SidesOfGates gates_on(const MatrixShape& shape, const BrickworkShape& circuit) {
  return {brickwork(circuit, shape.rows), brickwork(circuit, shape.columns)};
}

std::int64_t gate_numbers_on(const MatrixShape& shape, const BrickworkShape& circuit) {
  const SidesOfGates gates = gates_on(shape, circuit);
  return gate_numbers(gates.outputs) + gate_numbers(gates.inputs);
}

std::unique_ptr<Disentangled> make_disentangled(const Communicator& team, const RowSplit& split,
                                                const Tensor& own_rows,
                                                const DisentanglingOptions& options,
                                                DisentanglingReport* report) {
  const torch::NoGradGuard no_gradients;
  const torch::ScalarType type = own_rows.scalar_type();
  // A gain below the rounding of the numbers is none.
  const double least_gain = type == torch::kFloat64 ? 1e-13 : 1e-7;
  Disentangling weight(team, split, own_rows, options);
  DisentanglingReport found;
  found.overlap_alone = weight.overlap();
  found.entropy_alone = weight.entropy();
  if (options.start == DisentanglingStart::purity)
    for (int sweep = 0; sweep < purity_sweeps; ++sweep) weight.sweep_for_purity();
  found.overlaps.push_back(weight.overlap());
  for (int sweep = 0; sweep < options.sweeps; ++sweep) {
    weight.sweep();
    const double gain = weight.overlap() - found.overlaps.back();
    found.overlaps.push_back(weight.overlap());
    if (gain < least_gain) break;
  }
  weight.refresh(own_rows);
  found.overlaps.back() = weight.overlap();
  found.entropy = weight.entropy();
  if (report) *report = std::move(found);
  return weight.result(type);
}

std::unique_ptr<Disentangled> blank_disentangled(const Communicator& team, const RowSplit& split,
                                                 std::int64_t inputs,
                                                 const DisentanglingOptions& options,
                                                 torch::ScalarType type) {
  const SidesOfGates gates = gates_on({split.total(), inputs}, options.circuit);
  const auto blank = [&](const std::vector<BlockLayout>& layouts) {
    std::int64_t rows = 0;
    for (const BlockLayout& layout : layouts) rows += layout.size;
    return GateCircuit{layouts, torch::zeros({gate_numbers(layouts)}, type),
                       torch::zeros({rows}, torch::kUInt8)};
  };
  const OperatorCore core(team, split.total(), inputs, options.bond_dimension, type);
  return std::make_unique<Disentangled>(team, split, core.cores(), blank(gates.outputs),
                                        blank({gates.inputs.rbegin(), gates.inputs.rend()}));
}

void broadcast_tensors(const Communicator& ranks, const Disentangled& weight, int root) {
  for (const Parameter& parameter : weight.parameters())
    with_element_type(parameter.values, [&]<class T>(T) {
      ranks.broadcast(std::span(parameter.values.data_ptr<T>(),
                                static_cast<std::size_t>(parameter.values.numel())),
                      root);
    });
  for (const Parameter& index : weight.indices())
    if (index.values.scalar_type() == torch::kUInt8)  // signs; layouts are known
      ranks.broadcast(std::span(index.values.data_ptr<std::uint8_t>(),
                                static_cast<std::size_t>(index.values.numel())),
                      root);
}

}  // namespace rankine::weights
