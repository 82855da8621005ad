#include "weights/forms/disentangled.hpp"

#include <utility>

#include "core/contracts.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/block_exchange.hpp"
#include "weights/rows/exchange.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr const char* core_names[] = {"inner0", "inner1"};

/// A side of the weight and the tensors that store its circuit, unless it is empty.
struct SideNames {
  const char* generators;
  const char* signs;
  const char* layouts;
};
constexpr SideNames output_names{"output_generators", "output_signs", "output_gates"};
constexpr SideNames input_names{"input_generators", "input_signs", "input_gates"};

Parameter copy_of(const char* name, const Tensor& values) {
  return {name, values, Placement::copy, 0, values.size(0)};
}

/// Size and stride of each gate.
Tensor as_tensor(const std::vector<BlockLayout>& layouts) {
  Tensor table = torch::empty({std::ssize(layouts), 2}, torch::kInt32);
  auto* next = table.data_ptr<std::int32_t>();
  for (const BlockLayout& layout : layouts) {
    *next++ = static_cast<std::int32_t>(layout.size);
    *next++ = static_cast<std::int32_t>(layout.stride);
  }
  return table;
}

std::vector<BlockLayout> read_layouts(const StoredTensors& tensors, const SideNames& names,
                                      std::int64_t width) {
  const auto shape = tensors.shape(names.layouts);
  tensors.require(names.layouts, shape.size() == 2 && shape[1] == 2, "its shape");
  const Tensor table = tensors.integers(names.layouts, 0, shape[0]).contiguous();
  const auto* values = table.data_ptr<std::int64_t>();
  std::vector<BlockLayout> layouts;
  for (std::int64_t g = 0; g < shape[0]; ++g) {
    const BlockLayout layout{width, values[2 * g], values[2 * g + 1]};
    tensors.require(names.layouts,
                    layout.size > 0 && layout.size <= width && layout.stride > 0 &&
                        layout.stride <= width && width % (layout.size * layout.stride) == 0,
                    "a gate does not fit on its legs");
    layouts.push_back(layout);
  }
  return layouts;
}

GateCircuit read_circuit(const StoredTensors& tensors, const SideNames& names, std::int64_t width) {
  if (!tensors.has(names.layouts))
    return circuit_of({}, {}, torch::kFloat32);  // has no numbers, so no type
  GateCircuit circuit{read_layouts(tensors, names, width), {}, {}};
  std::int64_t rows = 0;
  for (const BlockLayout& layout : circuit.layouts) rows += layout.size;
  tensors.require(names.generators,
                  tensors.length(names.generators) == gate_numbers(circuit.layouts), "its length");
  tensors.require(names.signs, tensors.length(names.signs) == rows, "its length");
  circuit.generators = tensors.all(names.generators);
  circuit.signs = tensors.integers(names.signs, 0, rows).to(torch::kUInt8);
  tensors.require(names.signs, circuit.signs.le(1).all().item<bool>(), "a sign is not 0 or 1");
  return circuit;
}

}  // namespace

Disentangled::Disentangled(const parallel::Communicator& ranks, RowSplit rows,
                           std::vector<Tensor> cores, GateCircuit outputs_side,
                           GateCircuit inputs_side)
    : MaterialisedWeight(ranks, std::move(rows)),
      cores_(std::move(cores)),
      left_(std::move(outputs_side)),
      right_(std::move(inputs_side)) {
  RANKINE_EXPECTS(cores_.size() == 2 && cores_[0].size(3) == cores_[1].size(0),
                  "two cores share a bond");
  RANKINE_EXPECTS(cores_[0].size(1) * cores_[1].size(1) == outputs(),
                  "the cores make the rows of the weight");
}

std::vector<Parameter> Disentangled::parameters() const {
  std::vector<Parameter> all;
  for (std::size_t k = 0; k < cores_.size(); ++k) all.push_back(copy_of(core_names[k], cores_[k]));
  for (const auto& [names, circuit] : {std::pair{output_names, &left_}, {input_names, &right_}})
    if (!circuit->layouts.empty()) all.push_back(copy_of(names.generators, circuit->generators));
  return all;
}

std::vector<Parameter> Disentangled::indices() const {
  std::vector<Parameter> all;
  for (const auto& [names, circuit] : {std::pair{output_names, &left_}, {input_names, &right_}}) {
    if (circuit->layouts.empty()) continue;
    all.push_back(copy_of(names.signs, circuit->signs));
    all.push_back(copy_of(names.layouts, as_tensor(circuit->layouts)));
  }
  return all;
}

BlockCircuit Disentangled::shared(const GateCircuit& circuit) const {
  if (circuit.layouts.empty()) return {};
  return GateCircuit{circuit.layouts, share_input(team(), circuit.generators), circuit.signs}
      .circuit();
}

Tensor Disentangled::compute_rows() const {
  // Each rank's columns and rows give its share of every gradient.
  std::vector<Tensor> transposed;
  for (const Tensor& core : cores_) transposed.push_back(share_input(team(), core).transpose(1, 2));
  const RowSplit columns = RowSplit::even(inputs(), team().size());
  const int rank = team().rank();
  const Tensor of_core = contract_rows(transposed, columns.first(rank), columns.count(rank)).t();
  const Tensor rows =
      rows_of_columns(team(), apply_circuit_to_rows(shared(left_), of_core), split(), columns);
  return apply_transposed_circuit(shared(right_), rows).contiguous();
}

std::int64_t disentangled_core_numbers(const MatrixShape& shape, int, std::int64_t bond_dimension) {
  const CutLegs rows = cut_legs(shape.rows), columns = cut_legs(shape.columns);
  return stored_numbers_for({rows.first, rows.second}, {columns.first, columns.second},
                            bond_dimension);
}

std::int64_t largest_disentangled_core(const MatrixShape& shape, int, std::int64_t budget) {
  const CutLegs rows = cut_legs(shape.rows), columns = cut_legs(shape.columns);
  return bond_dimension_for({rows.first, rows.second}, {columns.first, columns.second}, budget);
}

std::unique_ptr<Weight> read_disentangled(const parallel::Communicator& team,
                                          const DenseSource& source, const StoredTensors& tensors) {
  const auto first = tensors.shape(core_names[0]);
  tensors.require(core_names[0], first.size() == 4 && first[0] == 1, "its shape");
  const auto second = tensors.shape(core_names[1]);
  tensors.require(core_names[1], second.size() == 4 && second[0] == first[3] && second[3] == 1,
                  "its bond");
  const std::int64_t rows = source.split.total(), columns = source.inputs;
  tensors.require(core_names[1],
                  first[1] > 0 && rows % first[1] == 0 && second[1] == rows / first[1] &&
                      first[2] > 0 && columns % first[2] == 0 && second[2] == columns / first[2],
                  "its legs");
  return std::make_unique<Disentangled>(
      team, source.split, std::vector{tensors.all(core_names[0]), tensors.all(core_names[1])},
      read_circuit(tensors, output_names, rows), read_circuit(tensors, input_names, columns));
}

}  // namespace rankine::weights
