// Deck first, overrides second, then what is missing, then the rules across keywords.
#include "deck/read.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "deck/bind.hpp"
#include "deck/toml_document.hpp"
#include "deck/toml_text.hpp"

namespace rankine::deck {
namespace {

void report_unknown_section(const Schema& schema, std::string_view name, const Source& source,
                            Findings& findings) {
  findings.add(source, {.what = fmt::format("unknown section [{}]", name),
                        .why = "this program does not read it",
                        .advice = suggest_section(schema, name)});
}

void report_unknown_keyword(const Schema& schema, const Section& section, std::string_view name,
                            const Source& source, Findings& findings) {
  if (section.name.empty() && schema.find_section(name) != nullptr) {
    findings.add(source, {.what = fmt::format("{} is given a value", name),
                          .why = "it is a section",
                          .advice = fmt::format("Write [{}] and its keywords below.", name)});
    return;
  }
  const bool at_top = section.name.empty();
  findings.add(
      source, {.what = fmt::format("unknown keyword {}{}{}", section.name, at_top ? "" : ".", name),
               .why = at_top ? "there is none at the top level"
                             : fmt::format("there is none in [{}]", section.name),
               .advice = suggest_keyword(schema, section.name, name)});
}

/// Whether it is a keyword of earlier versions.
bool report_renamed(const Schema& schema, std::string_view section, std::string_view name,
                    const Source& source, Findings& findings) {
  const std::string key = fmt::format("{}.{}", section, name);
  const std::string* now = schema.new_name(key);
  if (now == nullptr) return false;
  findings.add(source, {.what = key + " is no keyword any more",
                        .why = "it has another name",
                        .advice = fmt::format("Write {}.", *now)});
  return true;
}

/// A section of which only keywords of earlier versions are given is one of those.
void read_unknown_section(const Schema& schema, const TomlSection& given, Findings& findings) {
  std::size_t renamed = 0;
  for (const TomlEntry& entry : given.entries)
    renamed += report_renamed(schema, given.name, entry.name, entry.value.source, findings) ? 1 : 0;
  if (renamed == 0 || renamed < given.entries.size())
    report_unknown_section(schema, given.name, given.source, findings);
}

/// Keywords that are swept are missing in the deck itself: other findings would mislead.
void refuse_sweep(const std::vector<TomlSection>& document) {
  for (const TomlSection& section : document) {
    if (section.name != "sweep") continue;
    const Problem problem{.what = "a deck with [sweep]",
                          .why = "it is many runs, and this program does one",
                          .advice = "Start it with jobscripts/rankine-sweep run DECK FOLDER."};
    throw InputError(problem.message(section.source.where()));
  }
}

void read_section(Schema& schema, const TomlSection& given, Findings& findings) {
  Section* section = schema.find_section(given.name);
  if (section == nullptr) return read_unknown_section(schema, given, findings);
  for (const TomlEntry& entry : given.entries) {
    if (Keyword* keyword = section->find(entry.name)) {
      bind(*keyword, entry.value, findings);
    } else if (!report_renamed(schema, given.name, entry.name, entry.value.source, findings)) {
      report_unknown_keyword(schema, *section, entry.name, entry.value.source, findings);
    }
  }
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

/// Text that is no TOML value is a string. Text that starts like a list or a quoted string was
/// meant as TOML, though, and there the parser's complaint helps more.
TomlValue override_value(const Keyword& keyword, const std::string& text) {
  const bool starts_as_toml = text.find_first_of("[{\"'") == 0;
  if (keyword.takes_text() && !starts_as_toml) return parse_value(to_toml(text));
  try {
    return parse_value(text);
  } catch (const InputError&) {
    if (starts_as_toml) throw;
    return parse_value(to_toml(text));
  }
}

void read_override(Schema& schema, const std::string& argument, Findings& findings) {
  const Source source{.kind = Source::Kind::command_line};
  const std::size_t equals = argument.find('=');
  const auto [section_name, name] = split_key(trimmed(argument.substr(0, equals)));
  if (equals == std::string::npos || name.empty()) {
    findings.add(source, {.what = fmt::format("cannot use the argument {}", to_toml(argument)),
                          .why = "an override has the form section.key=value",
                          .advice = "Write one, or remove the argument."});
    return;
  }
  if (report_renamed(schema, section_name, name, source, findings)) return;
  Section* section = schema.find_section(section_name);
  if (section == nullptr) return report_unknown_section(schema, section_name, source, findings);
  Keyword* keyword = section->find(name);
  if (keyword == nullptr) {
    return report_unknown_keyword(schema, *section, name, source, findings);
  }
  try {
    bind(*keyword, override_value(*keyword, trimmed(argument.substr(equals + 1))), findings);
  } catch (const InputError& error) {
    findings.add(source, {.what = fmt::format("cannot parse the value of {}", keyword->key()),
                          .why = error.what(),
                          .advice = "Write it as TOML, in shell quotes."});
  }
}

void report_missing(const Schema& schema, Findings& findings) {
  for (const Section& section : schema.sections()) {
    for (const Keyword& keyword : section.keywords) {
      if (keyword.presence != Keyword::Presence::required || keyword.is_given()) continue;
      findings.add(keyword.source,
                   {.what = keyword.key() + " is missing",
                    .why = "it has no default",
                    .advice = fmt::format("Set it; see --help-deck {}.", keyword.key())});
    }
  }
}

}  // namespace

std::string load(const std::string& path) {
  constexpr std::uint64_t most_bytes = 16 << 20;  // a deck of some ten lines and long lists
  try {
    return read_input(path, most_bytes);
  } catch (const UnreadableInput& error) {
    const Problem problem{.what = "cannot read the deck",
                          .why = error.reason(),
                          .advice = "Give the path of a deck as first argument."};
    throw InputError(problem.message(path));
  }
}

void read_text(Schema& schema, std::string_view text, const std::string& file,
               const std::vector<std::string>& overrides) {
  const std::vector<TomlSection> document = parse_document(text, file);
  refuse_sweep(document);
  schema.reset(file);
  Findings findings(schema);
  for (const TomlSection& section : document) read_section(schema, section, findings);
  for (const std::string& argument : overrides) read_override(schema, argument, findings);
  report_missing(schema, findings);
  findings.throw_if_any();
  for (const Schema::Check& check : schema.checks()) check(findings);
  findings.throw_if_any();
}

void read(Schema& schema, const std::string& path, const std::vector<std::string>& overrides) {
  read_text(schema, load(path), path, overrides);
}

}  // namespace rankine::deck
