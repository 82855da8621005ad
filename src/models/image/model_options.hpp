// Which model a deck names: its section [model].
#pragma once

#include <cstdint>
#include <string>

#include "deck/schema.hpp"
#include "models/image/network_plan.hpp"
#include "models/precision.hpp"

namespace rankine::models {

struct ModelOptions {
  std::string path;  ///< of a checkpoint; empty for an image network drawn at random
  Precision precision = Precision::float32;
  std::string adapter = {};       ///< folder of an adapter of PEFT's; empty for none
  std::string architecture = {};  ///< of an image network; empty for a language model
  std::string layers = {};        ///< JSON file of a plain network
  Stem stem = Stem::cifar;
  std::int64_t classes = 0;  ///< of a network without checkpoint; 0 for those of the labels

  bool is_image_network() const { return !architecture.empty(); }
};

/// Declares [model].
void declare_model(deck::Schema& schema, ModelOptions& options);

}  // namespace rankine::models
