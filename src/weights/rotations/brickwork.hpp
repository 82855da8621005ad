// Where the gates of a circuit act on the legs of an axis.
//
// An axis of 2^n q indices, q odd, has legs of length 2, the fastest n of them, and one of length
// q, the slowest, which gates include or leave alone.
#pragma once

#include <cstdint>
#include <vector>

#include "core/named_values.hpp"
#include "weights/rotations/block_layout.hpp"

namespace rankine::weights {

/// What gates do with the leg of odd length.
enum class OddLeg { apart, included };
inline constexpr Named<OddLeg> odd_leg_names[] = {{OddLeg::apart, "apart"},
                                                  {OddLeg::included, "included"}};

/// Legs of length 2 of an axis.
int qubits_of(std::int64_t width);

/// The two groups of legs on either side of the cut of an axis, as equal as they can be made; the
/// odd leg is in the first.
struct CutLegs {
  std::int64_t first;
  std::int64_t second;  ///< a power of two
};
CutLegs cut_legs(std::int64_t width);

struct BrickworkShape {
  int gate_legs = 2;  ///< on which a gate acts
  int depth = 4;
  OddLeg odd_leg = OddLeg::apart;
};

/// Whether an axis has legs enough for a gate.
bool has_room(const BrickworkShape& shape, std::int64_t width);

/// The gates of the layers in the order in which they act. Every other layer begins at the other
/// end of the axis, or, where that gives the same gates, half a gate later; the first layer is the
/// one with a gate nearer to the middle of the cut. A layer that would repeat the one before it
/// (one gate on all legs) has no gates.
std::vector<BlockLayout> brickwork(const BrickworkShape& shape, std::int64_t width);

/// Numbers of the generators of these gates.
std::int64_t gate_numbers(const std::vector<BlockLayout>& gates);

}  // namespace rankine::weights
