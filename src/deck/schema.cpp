// Declaring keywords, finding them, and suggesting one for a name that does not exist.
#include "deck/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/contracts.hpp"
#include "deck/suggestion.hpp"

namespace rankine::deck {
namespace {

template <typename Sections>
auto* find_by_name(Sections& named, std::string_view name) {
  const auto found = std::find_if(named.begin(), named.end(),
                                  [name](const auto& candidate) { return candidate.name == name; });
  return found == named.end() ? nullptr : &*found;
}

std::string did_you_mean(const Section& section, std::string_view name) {
  std::vector<std::string> names;
  for (const Keyword& keyword : section.keywords) names.push_back(keyword.name);
  const auto close = nearest(name, names);
  if (!close) return "";
  const char* where = section.name.empty() ? " (above all sections)" : "";
  return fmt::format("Did you mean {}{}?", section.find(*close)->key(), where);
}

[[maybe_unused]] bool is_numeric(const Keyword& keyword) {
  return !keyword.takes_text() && !std::holds_alternative<bool*>(keyword.target);
}

}  // namespace

Declaration& Declaration::describe(std::string sentence) {
  keyword_->sentence = std::move(sentence);
  return *this;
}

Declaration& Declaration::unit(std::string unit) {
  keyword_->unit = std::move(unit);
  return *this;
}

Declaration& Declaration::choices(std::vector<std::string> choices) {
  RANKINE_EXPECTS(keyword_->takes_text(), "choices belong to strings: " + keyword_->key());
  keyword_->choices = std::move(choices);
  return *this;
}

Declaration& Declaration::required() {
  keyword_->presence = Keyword::Presence::required;
  return *this;
}

Declaration& Declaration::no_default() {
  keyword_->presence = Keyword::Presence::optional;
  return *this;
}

Declaration& Declaration::allow_empty() {
  keyword_->empty_list = Keyword::EmptyList::allowed;
  return *this;
}

Declaration& Declaration::bind_names(std::shared_ptr<Value> names, std::function<void()> take) {
  keyword_->names = std::move(names);
  keyword_->take_names = std::move(take);
  return *this;
}

Declaration& Declaration::lower(double bound, Range::End end) {
  RANKINE_EXPECTS(is_numeric(*keyword_), "bounds belong to numbers: " + keyword_->key());
  keyword_->range.lower = bound;
  keyword_->range.lower_end = end;
  return *this;
}

Declaration& Declaration::upper(double bound, Range::End end) {
  RANKINE_EXPECTS(is_numeric(*keyword_), "bounds belong to numbers: " + keyword_->key());
  keyword_->range.upper = bound;
  keyword_->range.upper_end = end;
  return *this;
}

const Keyword* Section::find(std::string_view keyword) const {
  return find_by_name(keywords, keyword);
}

Keyword* Section::find(std::string_view keyword) { return find_by_name(keywords, keyword); }

Declaration SectionDeclaration::declare(std::string name, Target target, Value default_value) {
  RANKINE_EXPECTS(section_->find(name) == nullptr, "keyword declared twice: " + name);
  section_->keywords.push_back({.section = section_->name,
                                .name = std::move(name),
                                .target = target,
                                .default_value = std::move(default_value)});
  return Declaration(section_->keywords.back());
}

SectionDeclaration Schema::section(std::string_view name, std::string sentence) {
  Section* section = find_section(name);
  if (section == nullptr) {
    section = &sections_.emplace_back(
        Section{.name = std::string(name), .sentence = std::move(sentence)});
  }
  return SectionDeclaration(*section);
}

const Section* Schema::find_section(std::string_view name) const {
  return find_by_name(sections_, name);
}

Section* Schema::find_section(std::string_view name) { return find_by_name(sections_, name); }

const std::string* Schema::new_name(const std::string& key) const {
  const auto found = renamed_.find(key);
  return found == renamed_.end() ? nullptr : &found->second;
}

const Keyword& Schema::at(std::string_view key) const {
  const auto [section_name, name] = split_key(key);
  const Section* section = find_section(section_name);
  const Keyword* keyword = section == nullptr ? nullptr : section->find(name);
  if (keyword == nullptr) {
    throw std::logic_error(fmt::format("no deck keyword {} was declared", key));
  }
  return *keyword;
}

void Schema::reset(const std::string& deck) {
  for (Section& section : sections_) {
    for (Keyword& keyword : section.keywords) keyword.reset(deck);
  }
}

std::pair<std::string, std::string> split_key(std::string_view key) {
  const std::size_t point = key.find('.');
  if (point == std::string_view::npos) return {"", std::string(key)};
  return {std::string(key.substr(0, point)), std::string(key.substr(point + 1))};
}

std::string suggest_keyword(const Schema& schema, std::string_view section, std::string_view name) {
  const Section* own = schema.find_section(section);
  std::string advice = own == nullptr ? "" : did_you_mean(*own, name);
  for (const Section& other : schema.sections()) {
    if (advice.empty()) advice = did_you_mean(other, name);
  }
  if (!advice.empty()) return advice;
  const bool has_topic = own != nullptr && !own->name.empty();
  return has_topic ? fmt::format("See --help-deck {}.", section) : "See --help-deck.";
}

std::string suggest_section(const Schema& schema, std::string_view name) {
  std::vector<std::string> names;
  for (const Section& section : schema.sections()) {
    if (!section.name.empty()) names.push_back(section.name);
  }
  const auto close = nearest(name, names);
  return close ? fmt::format("Did you mean [{}]?", *close) : "See --help-deck.";
}

}  // namespace rankine::deck
