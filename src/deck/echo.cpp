// The effective deck, as a list and as TOML.
#include "deck/echo.hpp"

#include <fmt/format.h>

namespace rankine::deck {

std::vector<EffectiveValue> effective_values(const Schema& schema) {
  std::vector<EffectiveValue> values;
  for (const Section& section : schema.sections()) {
    for (const Keyword& keyword : section.keywords) {
      if (keyword.has_value()) {
        values.push_back({keyword.key(), keyword.value_text(), keyword.source.text()});
      } else {
        values.push_back({keyword.key(), "", "not set"});
      }
    }
  }
  return values;
}

std::string effective_deck(const Schema& schema) {
  std::string text;
  for (const Section& section : schema.sections()) {
    if (section.keywords.empty()) continue;
    if (!section.name.empty()) text += fmt::format("\n[{}]\n", section.name);
    for (const Keyword& keyword : section.keywords) {
      if (keyword.has_value()) {
        text += fmt::format("{} = {}  # {}\n", keyword.name, keyword.value_text(),
                            keyword.source.text());
      } else {
        text += fmt::format("# {} is not set\n", keyword.name);
      }
    }
  }
  return text;
}

}  // namespace rankine::deck
