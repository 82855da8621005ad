// The targets of the rooms of language models and image networks.
#include "targets.hpp"

namespace rankine::fuzz {

std::vector<Choice> all_targets() {
  return {{"config", model_configs},       {"tokenizer", tokenizers},
          {"evaluate", decks_of_evaluate}, {"compress", decks_of_compress},
          {"distill", decks_of_distill},   {"images", image_decks},
          {"layers", image_layers},        {"native", native_model_folders},
          {"restart", restart_folders}};
}

}  // namespace rankine::fuzz
