// The targets of the rooms of language models.
#include "targets.hpp"

namespace rankine::fuzz {

std::vector<Target> all_targets() {
  return {model_configs(), tokenizers(), decks_of_evaluate(), decks_of_compress()};
}

}  // namespace rankine::fuzz
