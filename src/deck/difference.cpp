#include "deck/difference.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <variant>

#include "deck/toml_document.hpp"
#include "deck/toml_text.hpp"

namespace rankine::deck {

namespace {

std::string text_of(const TomlValue& value) {
  return std::visit(
      [](const auto& data) -> std::string {
        using Data = std::decay_t<decltype(data)>;
        if constexpr (std::is_same_v<Data, std::vector<TomlValue>>) {
          std::string text = "[";
          for (const TomlValue& element : data)
            text += (text.size() > 1 ? ", " : "") + text_of(element);
          return text + "]";
        } else if constexpr (std::is_same_v<Data, TomlValue::Unsupported>) {
          return data.kind;
        } else {
          return to_toml(data);
        }
      },
      value.data);
}

const std::string& value_in(const DeckValues& values, const std::string& key) {
  static const std::string not_set = "not set";
  const auto found = values.find(key);
  return found == values.end() ? not_set : found->second;
}

}  // namespace

DeckValues values_of_effective_deck(std::string_view text, const std::string& file) {
  DeckValues values;
  for (const TomlSection& section : parse_document(text, file))
    for (const TomlEntry& entry : section.entries)
      values[section.name.empty() ? entry.name : section.name + "." + entry.name] =
          text_of(entry.value);
  return values;
}

DeckValues values_that_count(DeckValues values) {
  std::erase_if(values, [](const auto& entry) {
    const std::string& key = entry.first;
    return key == "title" || key.starts_with("run.") || key.starts_with("output.") ||
           key.starts_with("parallel.");
  });
  return values;
}

std::vector<std::string> differences(const DeckValues& there, const DeckValues& here) {
  DeckValues all = there;
  all.insert(here.begin(), here.end());
  std::vector<std::string> found;
  for (const auto& [key, unused] : all)
    if (value_in(there, key) != value_in(here, key))
      found.push_back(
          fmt::format("{} = {} there, {} here", key, value_in(there, key), value_in(here, key)));
  return found;
}

}  // namespace rankine::deck
