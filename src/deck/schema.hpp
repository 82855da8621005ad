// The keywords a program understands. Each is declared once; parser, checks, help, reference and
// echo read it here.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/named_values.hpp"
#include "deck/findings.hpp"
#include "deck/keyword.hpp"

namespace rankine::deck {

/// Says the rest about a keyword just declared:
/// `section.keyword("steps", options.steps).at_least(1).describe("Number of steps.")`.
class Declaration {
 public:
  explicit Declaration(Keyword& keyword) : keyword_(&keyword) {}

  /// One sentence; every keyword has one.
  Declaration& describe(std::string sentence);
  /// "radians", "GiB"; "1" for pure numbers.
  Declaration& unit(std::string unit);
  /// Bounds of a number, or of each element of a list.
  Declaration& range(double lower, double upper) { return at_least(lower).at_most(upper); }
  Declaration& at_least(double bound) { return lower(bound, Range::End::included); }
  Declaration& above(double bound) { return lower(bound, Range::End::excluded); }
  Declaration& at_most(double bound) { return upper(bound, Range::End::included); }
  Declaration& below(double bound) { return upper(bound, Range::End::excluded); }
  /// The only strings allowed, for a string or each element of a list.
  Declaration& choices(std::vector<std::string> choices);
  Declaration& required();
  /// May stay unset; the bound member then keeps the value it had when declared.
  Declaration& no_default();
  Declaration& allow_empty();

 private:
  friend class SectionDeclaration;
  Declaration& bind_names(std::shared_ptr<Value> names, std::function<void()> take);
  Declaration& lower(double bound, Range::End end);
  Declaration& upper(double bound, Range::End end);

  Keyword* keyword_;
};

struct Section {
  std::string name = {};  ///< empty for the top level
  std::string sentence = {};
  std::deque<Keyword> keywords = {};  ///< a deque, because declarations keep references

  /// nullptr when there is none of this name.
  const Keyword* find(std::string_view keyword) const;
  Keyword* find(std::string_view keyword);
};

/// Declares keywords in one section.
class SectionDeclaration {
 public:
  explicit SectionDeclaration(Section& section) : section_(&section) {}

  /// Binds a keyword to a member; its present value is the default. The member must outlive the
  /// schema. A list keyword also takes a single value; a number keyword also takes an integer.
  template <Bindable T>
  Declaration keyword(std::string name, T& member) {
    return declare(std::move(name), Target(&member), Value(std::in_place_type<T>, member));
  }

  /// The same for a member whose type is an enumeration: decks have the names of `table`
  /// (core/named_values.hpp), which are the choices.
  template <class Enum, class Table>
  requires std::is_enum_v<Enum> Declaration keyword(std::string name, Enum& member,
                                                    const Table& table) {
    return declare_named(std::move(name), table, std::string(name_in(table, member)),
                         [&member, values = values_by_name(table)](const std::string& chosen) {
                           if (const auto value = value_named(values, chosen)) member = *value;
                         });
  }
  template <class Enum, class Table>
  requires std::is_enum_v<Enum> Declaration keyword(std::string name, std::vector<Enum>& members,
                                                    const Table& table) {
    std::vector<std::string> present;
    for (const Enum member : members) present.emplace_back(name_in(table, member));
    return declare_named(
        std::move(name), table, std::move(present),
        [&members, values = values_by_name(table)](const std::vector<std::string>& chosen) {
          members.clear();
          for (const std::string& each : chosen)
            if (const auto value = value_named(values, each)) members.push_back(*value);
        });
  }

 private:
  template <class Table>
  static auto values_by_name(const Table& table) {
    std::vector<Named<std::remove_cvref_t<decltype(std::begin(table)->value)>>> values;
    for (const auto& line : table) values.push_back({line.value, line.name});
    return values;
  }

  template <class Names, class Table, class Take>
  Declaration declare_named(std::string name, const Table& table, Names present, Take take) {
    auto names = std::make_shared<Value>(present);
    auto* bound = std::get_if<Names>(names.get());
    std::vector<std::string> choices;
    for (const auto& line : table) choices.emplace_back(line.name);
    return declare(std::move(name), Target(bound), Value(std::move(present)))
        .bind_names(std::move(names), [bound, take = std::move(take)] { take(*bound); })
        .choices(std::move(choices));
  }

  Declaration declare(std::string name, Target target, Value default_value);

  Section* section_;
};

class Schema {
 public:
  using Check = std::function<void(Findings&)>;

  Schema() : sections_(1) {}
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  /// Opens a section, or opens it again to add keywords (it keeps its first sentence).
  SectionDeclaration section(std::string_view name, std::string sentence);

  /// A keyword of the top level, above all sections.
  template <Bindable T>
  Declaration keyword(std::string name, T& member) {
    return SectionDeclaration(sections_.front()).keyword(std::move(name), member);
  }

  /// Adds a rule across keywords, run after binding and only when every keyword by itself is
  /// correct, so a check may trust the bound members.
  void check(Check check) { checks_.push_back(std::move(check)); }

  /// A keyword of earlier versions, and what is written in its place now: "run.directory".
  void renamed(std::string key, std::string now) { renamed_[std::move(key)] = std::move(now); }
  /// nullptr when `key` never was a keyword.
  const std::string* new_name(const std::string& key) const;

  /// The top level first, then the sections in the order of declaration.
  const std::deque<Section>& sections() const { return sections_; }
  const std::vector<Check>& checks() const { return checks_; }

  /// nullptr when there is none of this name.
  const Section* find_section(std::string_view name) const;
  Section* find_section(std::string_view name);
  /// The keyword declared as `key` ("section.name").
  const Keyword& at(std::string_view key) const;

  /// Puts all defaults back; `deck` is the file that messages name for what it leaves out.
  void reset(const std::string& deck);

 private:
  std::deque<Section> sections_;
  std::vector<Check> checks_;
  std::map<std::string, std::string> renamed_;
};

/// "section.name" split at its first point; the section is empty when there is none.
std::pair<std::string, std::string> split_key(std::string_view key);

/// The advice for a keyword that does not exist: the nearest name in its section, else in any, else
/// --help-deck.
std::string suggest_keyword(const Schema& schema, std::string_view section, std::string_view name);

/// The advice for a section that does not exist.
std::string suggest_section(const Schema& schema, std::string_view name);

}  // namespace rankine::deck
