// One deck keyword as its room declared it, and where its present value came from.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace rankine::deck {

/// Where a value came from.
struct Source {
  enum class Kind { default_value, deck, command_line };

  Kind kind = Kind::default_value;
  std::string file = {};  ///< the deck as the user named it
  int line = 0;           ///< 1, 2, ... for Kind::deck

  /// For echoes: "default", "deck.toml:12" (no folders) or "command line".
  std::string text() const;
  /// For messages: "path/deck.toml:12", "command line", or the deck when the value is a default.
  std::string where() const;
};

/// The numbers a keyword accepts.
struct Range {
  enum class End { included, excluded };

  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  End lower_end = End::included;
  End upper_end = End::included;

  bool contains(double value) const;
  /// "from 1 to 8", "above 0 and at most 1"; empty when nothing is excluded.
  std::string text() const;
};

/// A value of any type a keyword can have.
using Value = std::variant<bool, int, std::int64_t, double, std::string, std::vector<double>,
                           std::vector<std::int64_t>, std::vector<std::string>>;

/// The member of an options struct that a keyword sets.
using Target = std::variant<bool*, int*, std::int64_t*, double*, std::string*, std::vector<double>*,
                            std::vector<std::int64_t>*, std::vector<std::string>*>;

template <typename T>
concept Bindable = std::is_constructible_v<Target, T*>;

struct Keyword {
  enum class Presence {
    defaulted,  ///< has a default
    optional,   ///< may stay unset; the target then keeps the value it had when declared
    required,
  };
  enum class EmptyList { refused, allowed };

  std::string section = {};  ///< empty at the top level
  std::string name = {};
  std::string unit = {};
  std::string sentence = {};
  Presence presence = Presence::defaulted;
  EmptyList empty_list = EmptyList::refused;
  Range range = {};
  std::vector<std::string> choices = {};
  Target target = {};
  Value default_value = {};
  /// Of a member whose type is an enumeration: the names of its values, which `target` points to,
  /// and the way from there into the member.
  std::shared_ptr<Value> names = {};
  std::function<void()> take_names = [] {};
  Source source = {};

  /// "section.name", or the name alone at the top level.
  std::string key() const;
  /// A string or a list of strings.
  bool takes_text() const;
  /// "integer", "number or list of numbers", ...
  std::string type_name() const;
  /// The type of one value: "integer" for a list of integers.
  std::string element_type_name() const;
  /// "from 1 to 8", "one of "gram", "qr""; empty when every value of the type is allowed.
  std::string allowed() const;
  /// Whether the deck or the command line gave it.
  bool is_given() const { return source.kind != Source::Kind::default_value; }
  /// Whether the target holds something to use: given, or a default.
  bool has_value() const { return is_given() || presence == Presence::defaulted; }
  /// The target's present value as TOML.
  std::string value_text() const;
  std::string default_text() const;
  /// Puts the default back into the target; `deck` names the file for messages.
  void reset(const std::string& deck);
};

}  // namespace rankine::deck
