// The only file that sees the TOML parser.
#include "deck/toml_document.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "core/errors.hpp"
#include "deck/findings.hpp"

namespace rankine::deck {
namespace {

/// `origin` says which text the node belongs to; a deck adds its line.
Source place(const toml::node& node, Source origin) {
  if (origin.kind == Source::Kind::deck) origin.line = static_cast<int>(node.source().begin.line);
  return origin;
}

TomlValue copy_value(const toml::node& node, const Source& origin) {
  TomlValue value{.data = TomlValue::Unsupported{"date or time"}, .source = place(node, origin)};
  if (node.is_table()) value.data = TomlValue::Unsupported{"table"};
  if (const auto* flag = node.as_boolean()) value.data = flag->get();
  if (const auto* integer = node.as_integer()) value.data = integer->get();
  if (const auto* number = node.as_floating_point()) value.data = number->get();
  if (const auto* text = node.as_string()) value.data = text->get();
  if (const auto* array = node.as_array()) {
    std::vector<TomlValue> elements;
    for (const toml::node& element : *array) elements.push_back(copy_value(element, origin));
    value.data = std::move(elements);
  }
  return value;
}

TomlSection copy_section(std::string_view name, const toml::table& table, const Source& origin) {
  TomlSection section{.name = std::string(name), .source = place(table, origin), .entries = {}};
  for (const auto& [key, node] : table) {
    section.entries.push_back({std::string(key.str()), copy_value(node, origin)});
  }
  return section;
}

/// The parser nests tables as deeply as a key has points, and runs out of stack with too many.
/// Keys of decks have one.
constexpr int most_points = 16;

/// Counts the points of keys, outside of strings and comments.
class KeyPoints {
 public:
  /// Line of the first key that is too deep; 0 when there is none.
  int line_too_deep(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '"' || c == '\'') {
        at = end_of_string(text, at);
      } else if (c == '#') {
        at = std::min(text.find('\n', at), text.size()) - 1;
      } else if (c == '.') {
        if (++points_ > most_points) return line_;
      } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == '{') {
        points_ = 0;
        line_ += c == '\n' ? 1 : 0;
      }
    }
    return 0;
  }

 private:
  /// Of the last quote of the string that begins at `begin`, or of the text's end.
  std::size_t end_of_string(std::string_view text, std::size_t begin) {
    const char quote = text[begin];
    const std::string three(3, quote);
    const bool is_long = text.substr(begin, 3) == three;
    for (std::size_t at = begin + (is_long ? 3 : 1); at < text.size(); ++at) {
      if (text[at] == '\n' && !is_long) return at - 1;  // not closed; the parser will say so
      line_ += text[at] == '\n' ? 1 : 0;
      if (text[at] == '\\' && quote == '"') {
        ++at;
        line_ += at < text.size() && text[at] == '\n' ? 1 : 0;
      } else if (text[at] == quote && (!is_long || text.substr(at, 3) == three)) {
        return is_long ? at + 2 : at;
      }
    }
    return text.size();
  }

  int points_ = 0;
  int line_ = 1;
};

}  // namespace

std::string TomlValue::kind() const {
  if (const auto* unsupported = std::get_if<Unsupported>(&data)) return unsupported->kind;
  constexpr const char* names[] = {"boolean", "integer", "number", "string", "list"};
  return names[data.index()];
}

std::vector<TomlSection> parse_document(std::string_view text, const std::string& file) {
  Source origin{.kind = Source::Kind::deck, .file = file};
  if ((origin.line = KeyPoints().line_too_deep(text)) > 0) {
    const Problem problem{.what = "a key has too many points",
                          .why = "decks have sections and keywords, and nothing below them",
                          .advice = "Write section.keyword."};
    throw InputError(problem.message(origin.where()));
  }
  try {
    const toml::table root = toml::parse(text, file);
    std::vector<TomlSection> sections(1);
    for (const auto& [key, node] : root) {
      if (const toml::table* table = node.as_table()) {
        sections.push_back(copy_section(key.str(), *table, origin));
      } else {
        sections.front().entries.push_back({std::string(key.str()), copy_value(node, origin)});
      }
    }
    return sections;
  } catch (const toml::parse_error& error) {
    origin.line = static_cast<int>(error.source().begin.line);
    const Problem problem{.what = "cannot parse the deck",
                          .why = std::string(error.description()),
                          .advice = "Correct the TOML there."};
    throw InputError(problem.message(origin.where()));
  }
}

TomlValue parse_value(std::string_view text) {
  if (KeyPoints().line_too_deep(text) > 0) throw InputError("a key has too many points");
  try {
    const toml::table root = toml::parse(fmt::format("value = {}", text));
    if (root.size() != 1) throw InputError("more than one value");
    return copy_value(root.begin()->second, {.kind = Source::Kind::command_line});
  } catch (const toml::parse_error& error) {
    throw InputError(std::string(error.description()));
  }
}

}  // namespace rankine::deck
