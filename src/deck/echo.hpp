// What a run used: every keyword with its value and where that came from.
#pragma once

#include <string>
#include <vector>

#include "deck/schema.hpp"

namespace rankine::deck {

struct EffectiveValue {
  std::string key;     ///< "section.name"
  std::string value;   ///< as TOML; empty when not set
  std::string source;  ///< "default", "deck.toml:12", "command line" or "not set"
};

/// All keywords in the order of declaration.
std::vector<EffectiveValue> effective_values(const Schema& schema);

/// The same as a deck: TOML that reads back to the same values, each with its source as a comment.
std::string effective_deck(const Schema& schema);

}  // namespace rankine::deck
