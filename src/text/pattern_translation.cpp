#include "text/pattern_translation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/errors.hpp"
#include "text/unicode_additions.hpp"

namespace rankine::text {

namespace {

// PCRE2's own \s holds U+180E besides, which lost the property in Unicode 6.3.
constexpr std::string_view white_space =
    "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"
    "\\x{3000}";

constexpr std::array<std::string_view, 12> categories = {"L", "Lu", "Ll", "Lt", "Lm", "Lo",
                                                         "M", "N",  "Nd", "P",  "S",  "Z"};

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

/// Members of a set that is a general category.
std::string members_of(std::string_view category) {
  std::string members = fmt::format("\\p{{{}}}", category);
  for (const UnicodeAddition& addition : unicode_additions) {
    if (addition.category == category) members += addition.members;
  }
  return members;
}

/// Reads an expression from left to right and writes it anew.
class Translation {
 public:
  Translation(std::string_view expression, std::string_view source)
      : expression_(expression), source_(source) {}

  std::string run() {
    while (position_ < expression_.size()) {
      switch (expression_[position_]) {
        case '\\':
          escape(Place::outside_set);
          break;
        case '[':
          set();
          break;
        case '(':
          group();
          break;
        case '{':
          repetition();
          break;
        case '.':
        case '^':
        case '$':
        case '}':
        case ']':
          refuse(expression_.substr(position_, 1));
        default:
          copy(1);
      }
    }
    return std::move(result_);
  }

 private:
  enum class Place { inside_set, outside_set };

  [[noreturn]] void refuse(std::string_view construct) const {
    throw InputError(
        fmt::format("Cannot use the regular expression '{}' of {} ('{}' at byte {} is "
                    "not supported). Use a model with one of the usual expressions.",
                    expression_, source_, construct, position_));
  }

  bool next_is(std::string_view text) const {
    return expression_.substr(position_).starts_with(text);
  }

  void copy(std::size_t n) {
    result_ += expression_.substr(position_, n);
    position_ += n;
  }

  void group() {
    for (const std::string_view start : {"(?:", "(?=", "(?!"}) {
      if (next_is(start)) return copy(start.size());
    }
    if (next_is("(?i:")) return caseless_group();
    if (next_is("(?") || next_is("(*")) refuse(expression_.substr(position_, 3));
    copy(1);
  }

  /// Case folds of other than ASCII letters differ between the two libraries.
  void caseless_group() {
    copy(4);
    for (int depth = 1; depth > 0;) {
      if (position_ == expression_.size()) refuse("(?i:");
      const char c = expression_[position_];
      if (c == '(' && !next_is("(?:")) refuse("( within (?i:");
      if (c == '(') {
        ++depth;
        copy(3);
        continue;
      }
      const bool is_plain = is_ascii_letter(c) || c == '\'' || c == '|' || c == '?' || c == ')' ||
                            c == '[' || c == ']' || c == ' ';
      if (!is_plain) refuse(fmt::format("{} within (?i:", c));
      if (c == ')') --depth;
      copy(1);
    }
  }

  void repetition() {
    const std::size_t end = expression_.find('}', position_);
    const std::string_view counts =
        expression_.substr(position_ + 1, end == expression_.npos ? end : end - position_ - 1);
    const bool is_plain =
        end != expression_.npos && !counts.empty() && is_ascii_digit(counts[0]) &&
        std::ranges::all_of(counts, [](char c) { return is_ascii_digit(c) || c == ','; });
    if (!is_plain) refuse("{");
    copy(counts.size() + 2);
    // Lazy or possessive in PCRE2; in Ruby another repetition of the whole.
    if (next_is("?") || next_is("+")) refuse("a repetition behind {...}");
  }

  void set() {
    copy(next_is("[^") ? 2 : 1);
    if (next_is("]")) refuse("[]");
    while (!next_is("]")) {
      if (position_ == expression_.size()) refuse("[");
      if (next_is("[") || next_is("&&")) refuse(expression_.substr(position_, 1));
      if (next_is("\\")) {
        escape(Place::inside_set);
      } else {
        copy(1);
      }
    }
    copy(1);
  }

  void escape(Place place) {
    if (position_ + 1 == expression_.size()) refuse("\\");
    const char c = expression_[position_ + 1];
    if (c == 'p' || c == 'P') return property(place);
    if (c == 's' || c == 'S') return members(white_space, c == 'S', place, 2);
    if (c == 'd') return members(members_of("Nd"), false, place, 2);
    const bool is_plain = c == 'r' || c == 'n' || c == 't' || c == 'f' ||
                          (c > ' ' && c <= '~' && !is_ascii_letter(c) && !is_ascii_digit(c));
    if (!is_plain) refuse(expression_.substr(position_, 2));
    copy(2);
  }

  /// Writes a set, or its members where a set is open already, in place of `length` bytes.
  void members(std::string_view members, bool negated, Place place, std::size_t length) {
    if (place == Place::outside_set) {
      result_ += fmt::format("[{}{}]", negated ? "^" : "", members);
    } else if (!negated) {
      result_ += members;
    } else if (members == white_space) {
      result_ += "\\S\\x{180e}";
    } else {
      refuse(expression_.substr(position_, length));
    }
    position_ += length;
  }

  void property(Place place) {
    const std::size_t end = expression_.find('}', position_);
    if (!expression_.substr(position_ + 2).starts_with('{') || end == expression_.npos)
      refuse("\\p");
    const std::string_view category = expression_.substr(position_ + 3, end - position_ - 3);
    if (std::ranges::find(categories, category) == categories.end()) {
      refuse(expression_.substr(position_, end + 1 - position_));
    }
    members(members_of(category), expression_[position_ + 1] == 'P', place, end + 1 - position_);
  }

  std::string_view expression_;
  std::string_view source_;
  std::size_t position_ = 0;
  std::string result_;
};

/// Letters by their property Alphabetic though not by their category: those in circles and squares.
constexpr std::string_view enclosed_letters =
    "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";

}  // namespace

std::string pcre2_from_oniguruma(std::string_view expression, std::string_view source) {
  return Translation(expression, source).run();
}

std::string pcre2_from_literal(std::string_view text) {
  std::string expression;
  for (const char c : text) {
    const bool is_special = std::string_view("\\^$.[]|()?*+{}").find(c) != std::string_view::npos;
    if (is_special) expression += '\\';
    expression += c;
  }
  return expression;
}

std::string pcre2_digit_class() {
  return fmt::format("[{}{}]", members_of("N"), unicode_17_numbers);
}

std::string pcre2_word_class() {
  return fmt::format("[{}{}{}\\p{{Nl}}\\p{{Pc}}\\x{{200c}}\\x{{200d}}{}]", members_of("L"),
                     members_of("M"), members_of("Nd"), enclosed_letters);
}

}  // namespace rankine::text
