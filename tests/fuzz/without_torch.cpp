// The targets of the rooms that do without libtorch.
#include "targets.hpp"

namespace rankine::fuzz {

std::vector<Choice> all_targets() {
  return {{"decks", decks_of_simulate}, {"plans", plans_of_simulate},       {"edges", edge_lists},
          {"gates", gate_lists},        {"safetensors", safetensors_files}, {"npy", npy_files},
          {"json", json_documents}};
}

}  // namespace rankine::fuzz
