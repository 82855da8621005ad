// A TOML text as sections, keys and values with their lines, free of the parser's own types.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "deck/keyword.hpp"

namespace rankine::deck {

/// One value and its place.
struct TomlValue {
  /// What a deck has no use for: tables inside sections, dates, times.
  struct Unsupported {
    std::string kind;
  };

  std::variant<bool, std::int64_t, double, std::string, std::vector<TomlValue>, Unsupported> data;
  Source source = {};

  /// "boolean", "integer", "number", "string", "list", "table", ...
  std::string kind() const;
};

struct TomlEntry {
  std::string name;
  TomlValue value;
};

struct TomlSection {
  std::string name = {};  ///< empty for the top level
  Source source = {};
  std::vector<TomlEntry> entries = {};
};

/// Parses a deck; `file` is its name in sources and messages.
/// @throws InputError with file and line when the text is not TOML
std::vector<TomlSection> parse_document(std::string_view text, const std::string& file);

/// Parses what stands behind the = of an override.
/// @throws InputError saying why the text is not one TOML value
TomlValue parse_value(std::string_view text);

}  // namespace rankine::deck
