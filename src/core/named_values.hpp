// The values of an enumeration and their names in decks and files: a table that is written once.
#pragma once

#include <iterator>
#include <optional>
#include <string_view>

namespace rankine {

/// A line of such a table. Tables are ranges of these, or of lines that say more beside `value` and
/// `name`, in the order in which the names are listed.
template <class Enum>
struct Named {
  Enum value;
  std::string_view name;
};

/// The name of a value; each has one.
template <class Table, class Enum>
constexpr std::string_view name_in(const Table& table, Enum value) {
  for (const auto& line : table)
    if (line.value == value) return line.name;
  return {};
}

/// The value of a name; nothing if there is none.
template <class Table>
constexpr auto value_named(const Table& table, std::string_view name) {
  std::optional<decltype(std::begin(table)->value)> found;
  for (const auto& line : table)
    if (line.name == name) found = line.value;
  return found;
}

}  // namespace rankine
