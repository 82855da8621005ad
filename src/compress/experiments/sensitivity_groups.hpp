// Which weights of a model a sensitivity profile looks at together.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "core/named_values.hpp"

namespace rankine::compress {

/// What the weights of a group have in common: the layer, the kind of matrix (what stands behind
/// the number of the layer in a name), or all: a weight alone.
enum class GroupBy { layer, kind, weight };
/// With their names in decks and result files.
inline constexpr std::array group_names{Named<GroupBy>{GroupBy::layer, "layer"},
                                        Named<GroupBy>{GroupBy::kind, "kind"},
                                        Named<GroupBy>{GroupBy::weight, "weight"}};
constexpr std::string_view name(GroupBy by) { return name_in(group_names, by); }

/// Some of the selected weights.
struct WeightGroup {
  GroupBy by;
  std::string name;  ///< "layer 3", "self_attn.q_proj", or the name of the weight
  std::vector<std::size_t> weights;
};

/// The groups of each `by`, layers first, then kinds, then weights; in each the order of the names.
std::vector<WeightGroup> group_weights(const std::vector<std::string>& names,
                                       const std::vector<GroupBy>& by);

}  // namespace rankine::compress
