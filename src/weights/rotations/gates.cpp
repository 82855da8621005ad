#include "weights/rotations/gates.hpp"

#include <utility>
#include <vector>

#include "core/contracts.hpp"
#include "weights/rotations/cayley.hpp"

namespace rankine::weights {

using torch::Tensor;

BlockCircuit GateCircuit::circuit() const {
  BlockCircuit gates;
  std::int64_t number = 0, row = 0;
  for (const BlockLayout& layout : layouts) {
    const std::int64_t numbers = generator_numbers(layout.size);
    const Tensor proper = cayley(generators.narrow(0, number, numbers).unsqueeze(0), layout.size);
    const Tensor sign = 1 - 2 * signs.narrow(0, row, layout.size).to(proper.scalar_type());
    gates.push_back({layout, proper * sign.view({1, layout.size, 1})});
    number += numbers;
    row += layout.size;
  }
  return gates;
}

GateCircuit circuit_of(std::vector<BlockLayout> layouts, const std::vector<Tensor>& gates,
                       torch::ScalarType type) {
  RANKINE_EXPECTS(gates.size() == layouts.size(), "a matrix for every gate");
  std::vector<Tensor> generators{torch::empty({0}, torch::kFloat64)},
      signs{torch::empty({0}, torch::kFloat64)};
  for (const Tensor& gate : gates) {
    const SignedGenerators found = generators_of(gate.unsqueeze(0));
    generators.push_back(found.generators.flatten());
    signs.push_back(found.signs.flatten());
  }
  return {std::move(layouts), torch::cat(generators).to(type),
          (torch::cat(signs) < 0).to(torch::kUInt8)};
}

}  // namespace rankine::weights
