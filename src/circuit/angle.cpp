#include "circuit/angle.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace rankine::circuit {

namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool begins_number(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.'; }

class AngleReader {
 public:
  AngleReader(std::string_view text, const std::map<std::string, double, std::less<>>& symbols)
      : left_(text), symbols_(symbols) {}

  std::optional<double> read() {
    double value = 1;
    if (!left_.empty() && (left_[0] == '+' || left_[0] == '-')) value = take() == '-' ? -1 : 1;
    char operation = '*';
    while (true) {
      const auto next = factor();
      if (!next) return std::nullopt;
      value = operation == '*' ? value * *next : value / *next;
      if (left_.empty()) break;
      const bool is_product = is_letter(left_[0]) && was_number_;
      if (!is_product && left_[0] != '*' && left_[0] != '/') return std::nullopt;
      operation = is_product ? '*' : take();
    }
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
  }

 private:
  char take() {
    const char c = left_[0];
    left_.remove_prefix(1);
    return c;
  }

  std::optional<double> factor() {
    was_number_ = !left_.empty() && begins_number(left_[0]);
    return was_number_ ? number() : symbol();
  }

  std::optional<double> number() {
    double value = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    if (error == std::errc::invalid_argument) return std::nullopt;
    const std::string digits(left_.data(), end);
    left_.remove_prefix(digits.size());
    // Beyond the range of doubles from_chars does not say on which side.
    return error == std::errc::result_out_of_range ? std::strtod(digits.c_str(), nullptr) : value;
  }

  std::optional<double> symbol() {
    std::size_t length = 0;
    while (length < left_.size() && is_letter(left_[length])) ++length;
    const std::string_view name = left_.substr(0, length);
    left_.remove_prefix(length);
    if (name == "pi") return std::numbers::pi;
    const auto found = symbols_.find(name);
    return found == symbols_.end() ? std::nullopt : std::optional(found->second);
  }

  std::string_view left_;
  const std::map<std::string, double, std::less<>>& symbols_;
  bool was_number_ = false;
};

}  // namespace

std::optional<double> evaluate_angle(std::string_view text,
                                     const std::map<std::string, double, std::less<>>& symbols) {
  return AngleReader(text, symbols).read();
}

}  // namespace rankine::circuit
