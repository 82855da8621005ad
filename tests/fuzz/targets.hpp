// Every fuzz target, each in a file of its own.
#pragma once

#include "target.hpp"

namespace rankine::fuzz {

Target decks_of_simulate();
Target plans_of_simulate();
Target edge_lists();
Target gate_lists();
Target safetensors_files();
Target npy_files();
Target json_documents();
Target model_configs();
Target tokenizers();
Target decks_of_evaluate();
Target decks_of_compress();
Target decks_of_distill();
Target image_decks();
Target image_layers();
Target native_model_folders();
Target restart_folders();

}  // namespace rankine::fuzz
