// Three renderings of the same declarations.
#include "deck/reference.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"
#include "deck/suggestion.hpp"

namespace rankine::deck {
namespace {

/// "integer; from 1 to 8; unit radians"
std::string facts(const Keyword& keyword) {
  std::string text = keyword.type_name();
  if (const std::string allowed = keyword.allowed(); !allowed.empty()) text += "; " + allowed;
  if (!keyword.unit.empty() && keyword.unit != "1") text += "; unit " + keyword.unit;
  return text;
}

bool has_default(const Keyword& keyword) {
  return keyword.presence == Keyword::Presence::defaulted;
}

/// What stands where there is no default.
std::string_view no_default_text(const Keyword& keyword) {
  return keyword.presence == Keyword::Presence::required ? "required" : "not set";
}

std::string help_keyword(const Keyword& keyword) {
  const std::string value = has_default(keyword) ? fmt::format(" = {}", keyword.default_text())
                                                 : fmt::format("  ({})", no_default_text(keyword));
  return fmt::format("  {}{}\n      {}\n      {}\n", keyword.name, value, keyword.sentence,
                     facts(keyword));
}

std::string heading(const Section& section) {
  if (section.name.empty()) return "Top level, above all sections\n";
  return fmt::format("[{}]\n{}\n", section.name, section.sentence);
}

std::string help_section(const Section& section) {
  std::string text = heading(section);
  for (const Keyword& keyword : section.keywords) text += "\n" + help_keyword(keyword);
  return text;
}

[[noreturn]] void refuse_topic(const Schema& schema, std::string_view topic) {
  std::vector<std::string> topics;
  for (const Section& section : schema.sections()) {
    if (!section.name.empty()) topics.push_back(section.name);
    for (const Keyword& keyword : section.keywords) topics.push_back(keyword.key());
  }
  const auto close = nearest(topic, topics);
  const auto [section, name] = split_key(topic);
  const Problem problem{.what = fmt::format("no help on {}", topic),
                        .why = "it is neither a section nor a section.key of this program",
                        .advice = close ? fmt::format("Did you mean {}?", *close)
                                        : suggest_keyword(schema, section, name)};
  throw InputError(problem.message("command line"));
}

std::string default_line(const Keyword& keyword) {
  if (has_default(keyword)) return fmt::format("{} = {}\n", keyword.name, keyword.default_text());
  return fmt::format("# {} =  # {}\n", keyword.name, no_default_text(keyword));
}

std::string table_cell(std::string text) {
  for (std::size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2)) {
    text.insert(bar, "\\");
  }
  return text;
}

std::string table_row(const Keyword& keyword) {
  const std::string value = has_default(keyword) ? fmt::format("`{}`", keyword.default_text())
                                                 : std::string(no_default_text(keyword));
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", keyword.name, keyword.type_name(),
                     keyword.unit, table_cell(value), table_cell(keyword.allowed()),
                     table_cell(keyword.sentence));
}

}  // namespace

std::string help_deck(const Schema& schema, std::string_view topic) {
  if (topic.empty()) {
    std::string text;
    for (const Section& section : schema.sections()) {
      if (section.keywords.empty()) continue;
      text += (text.empty() ? "" : "\n") + help_section(section);
    }
    return text;
  }
  if (const Section* section = schema.find_section(topic)) return help_section(*section);
  const auto [section_name, name] = split_key(topic);
  const Section* section = schema.find_section(section_name);
  const Keyword* keyword = section == nullptr ? nullptr : section->find(name);
  if (keyword == nullptr) refuse_topic(schema, topic);
  return heading(*section) + "\n" + help_keyword(*keyword);
}

std::string default_deck(const Schema& schema) {
  std::string text;
  for (const Section& section : schema.sections()) {
    if (section.keywords.empty()) continue;
    if (!section.name.empty()) {
      text += fmt::format("\n# {}\n[{}]\n", section.sentence, section.name);
    }
    for (const Keyword& keyword : section.keywords) {
      text += fmt::format("# {} ({})\n", keyword.sentence, facts(keyword));
      text += default_line(keyword);
    }
  }
  return text;
}

std::string reference_markdown(const Schema& schema, std::string_view program) {
  std::string text =
      fmt::format("# Input reference of `{0}`\n\nWritten by `{0} --reference`.\n", program);
  for (const Section& section : schema.sections()) {
    if (section.keywords.empty()) continue;
    text += section.name.empty()
                ? std::string("\n## Top level\n\nAbove all sections.\n")
                : fmt::format("\n## `[{}]`\n\n{}\n", section.name, section.sentence);
    text +=
        "\n| keyword | type | unit | default | allowed | meaning |\n|---|---|---|---|---|---|\n";
    for (const Keyword& keyword : section.keywords) text += table_row(keyword);
  }
  return text;
}

}  // namespace rankine::deck
