// What a keyword says about itself: key, type, allowed values, value and source as text.
#include "deck/keyword.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "deck/toml_text.hpp"

namespace rankine::deck {
namespace {

std::string name_of(const bool*) { return "true or false"; }
std::string name_of(const int*) { return "integer"; }
std::string name_of(const std::int64_t*) { return "integer"; }
std::string name_of(const double*) { return "number"; }
std::string name_of(const std::string*) { return "string"; }
template <typename T>
std::string name_of(const std::vector<T>*) {
  return name_of(static_cast<const T*>(nullptr));
}

template <typename T>
constexpr bool is_list(const T*) {
  return false;
}
template <typename T>
constexpr bool is_list(const std::vector<T>*) {
  return true;
}

}  // namespace

std::string Source::text() const {
  if (kind == Kind::default_value) return "default";
  if (kind == Kind::command_line) return "command line";
  return fmt::format("{}:{}", std::filesystem::path(file).filename().string(), line);
}

std::string Source::where() const {
  if (kind == Kind::command_line) return "command line";
  return kind == Kind::deck ? fmt::format("{}:{}", file, line) : file;
}

bool Range::contains(double value) const {
  const bool above = lower_end == End::included ? value >= lower : value > lower;
  const bool below = upper_end == End::included ? value <= upper : value < upper;
  return above && below;
}

std::string Range::text() const {
  const bool has_lower = lower > -std::numeric_limits<double>::infinity();
  const bool has_upper = upper < std::numeric_limits<double>::infinity();
  if (has_lower && has_upper && lower_end == End::included && upper_end == End::included) {
    return fmt::format("from {} to {}", lower, upper);
  }
  std::string text;
  if (has_lower) {
    text += fmt::format("{} {}", lower_end == End::included ? "at least" : "above", lower);
  }
  if (has_lower && has_upper) text += " and ";
  if (has_upper) {
    text += fmt::format("{} {}", upper_end == End::included ? "at most" : "below", upper);
  }
  return text;
}

std::string Keyword::key() const { return section.empty() ? name : section + "." + name; }

bool Keyword::takes_text() const {
  return std::holds_alternative<std::string*>(target) ||
         std::holds_alternative<std::vector<std::string>*>(target);
}

std::string Keyword::element_type_name() const {
  return std::visit([](const auto* bound) { return name_of(bound); }, target);
}

std::string Keyword::type_name() const {
  const bool takes_list = std::visit([](const auto* bound) { return is_list(bound); }, target);
  return takes_list ? fmt::format("{0} or list of {0}s", element_type_name()) : element_type_name();
}

std::string Keyword::allowed() const {
  if (choices.empty()) return range.text();
  std::string text = "one of ";
  for (const std::string& choice : choices) {
    text += (&choice == &choices.front() ? "" : ", ") + to_toml(choice);
  }
  return text;
}

std::string Keyword::value_text() const {
  return std::visit([](const auto* bound) { return to_toml(*bound); }, target);
}

std::string Keyword::default_text() const {
  return std::visit([](const auto& value) { return to_toml(value); }, default_value);
}

void Keyword::reset(const std::string& deck) {
  source = Source{.file = deck};
  std::visit(
      [this](auto* bound) {
        *bound = std::get<std::remove_pointer_t<decltype(bound)>>(default_value);
      },
      target);
  take_names();
}

}  // namespace rankine::deck
