#include "weights/rotations/brickwork.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/contracts.hpp"
#include "weights/rotations/cayley.hpp"

namespace rankine::weights {

namespace {

/// Legs that gates may act on, counted from the fastest one.
int legs_of(const BrickworkShape& shape, std::int64_t width) {
  const int qubits = qubits_of(width);
  return shape.odd_leg == OddLeg::included && width > std::int64_t{1} << qubits ? qubits + 1
                                                                                : qubits;
}

/// First legs of the gates of a layer.
using Layer = std::vector<int>;

/// From leg `first` on.
Layer gates_from(int first, int gate, int legs) {
  Layer layer;
  for (int leg = first; leg + gate <= legs; leg += gate) layer.push_back(leg);
  return layer;
}

/// How far the gate that reaches farthest over the cut at `leg` reaches on its shorter side.
int reach_over(const Layer& layer, int gate, int leg) {
  int reach = 0;
  for (const int first : layer) reach = std::max(reach, std::min(leg - first, first + gate - leg));
  return reach;
}

/// The two kinds of layers in turn, the first one first.
std::pair<Layer, Layer> layers_of(int gate, int legs, int cut) {
  const Layer below = gates_from(0, gate, legs);
  Layer above = gates_from(legs % gate, gate, legs);
  if (above == below) above = gates_from((gate + 1) / 2, gate, legs);
  if (above.empty() || reach_over(below, gate, cut) >= reach_over(above, gate, cut))
    return {below, above};
  return {above, below};
}

}  // namespace

int qubits_of(std::int64_t width) {
  RANKINE_EXPECTS(width > 0, "an axis has indices");
  return std::countr_zero(static_cast<std::uint64_t>(width));
}

CutLegs cut_legs(std::int64_t width) {
  CutLegs best{width, 1};
  const auto inequality = [](const CutLegs& legs) {
    return std::abs(std::log(static_cast<double>(legs.first) / static_cast<double>(legs.second)));
  };
  for (std::int64_t second = 2; width % second == 0; second *= 2)
    if (const CutLegs legs{width / second, second}; inequality(legs) < inequality(best))
      best = legs;
  return best;
}

bool has_room(const BrickworkShape& shape, std::int64_t width) {
  return shape.gate_legs <= legs_of(shape, width);
}

std::vector<BlockLayout> brickwork(const BrickworkShape& shape, std::int64_t width) {
  const int legs = legs_of(shape, width), gate = shape.gate_legs;
  RANKINE_EXPECTS(gate >= 1 && gate <= legs, "gates fit on the legs");
  const auto [first, second] = layers_of(gate, legs, qubits_of(cut_legs(width).second));
  std::vector<BlockLayout> layouts;
  for (int l = 0; l < shape.depth; ++l) {
    if (l > 0 && second.empty()) break;
    for (const int leg : l % 2 == 0 ? first : second) {
      const std::int64_t stride = std::int64_t{1} << leg;
      const bool is_topmost = leg + gate > qubits_of(width);  // with the odd leg
      layouts.push_back({width, is_topmost ? width / stride : std::int64_t{1} << gate, stride});
    }
  }
  return layouts;
}

std::int64_t gate_numbers(const std::vector<BlockLayout>& gates) {
  std::int64_t numbers = 0;
  for (const BlockLayout& gate : gates) numbers += generator_numbers(gate.size);
  return numbers;
}

}  // namespace rankine::weights
