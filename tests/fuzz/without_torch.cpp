// The targets of the rooms that do without libtorch.
#include "targets.hpp"

namespace rankine::fuzz {

std::vector<Target> all_targets() {
  return {decks_of_simulate(), plans_of_simulate(), edge_lists(),    gate_lists(),
          safetensors_files(), npy_files(),         json_documents()};
}

}  // namespace rankine::fuzz
