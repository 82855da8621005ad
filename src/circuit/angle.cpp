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

}  // namespace

class AngleReader {
 public:
  explicit AngleReader(std::string_view text) : left_(text) { angle_.text_ = text; }

  std::optional<Angle> read() {
    if (!left_.empty() && (left_[0] == '+' || left_[0] == '-'))
      angle_.sign_ = take() == '-' ? -1 : 1;
    char operation = '*';
    while (true) {
      auto next = factor();
      if (!next) return std::nullopt;
      next->divides = operation == '/';
      angle_.factors_.push_back(*std::move(next));
      if (left_.empty()) return std::move(angle_);
      const bool is_product = is_letter(left_[0]) && was_number_;
      if (!is_product && left_[0] != '*' && left_[0] != '/') return std::nullopt;
      operation = is_product ? '*' : take();
    }
  }

 private:
  char take() {
    const char c = left_[0];
    left_.remove_prefix(1);
    return c;
  }

  std::optional<Angle::Factor> factor() {
    was_number_ = !left_.empty() && begins_number(left_[0]);
    return was_number_ ? number() : name();
  }

  std::optional<Angle::Factor> number() {
    double value = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    if (error == std::errc::invalid_argument) return std::nullopt;
    const std::string digits(left_.data(), end);
    left_.remove_prefix(digits.size());
    // Beyond the range of doubles from_chars does not say on which side.
    if (error == std::errc::result_out_of_range) value = std::strtod(digits.c_str(), nullptr);
    return Angle::Factor{.number = value};
  }

  std::optional<Angle::Factor> name() {
    std::size_t length = 0;
    while (length < left_.size() && is_letter(left_[length])) ++length;
    const std::string_view name = left_.substr(0, length);
    left_.remove_prefix(length);
    if (name.empty()) return std::nullopt;
    if (name == "pi") return Angle::Factor{.number = std::numbers::pi};
    return Angle::Factor{.parameter = std::string(name)};
  }

  std::string_view left_;
  Angle angle_;
  bool was_number_ = false;
};

std::optional<Angle> Angle::parse(std::string_view text) {
  auto angle = AngleReader(text).read();
  if (angle && angle->parameters().empty() && !angle->value({})) return std::nullopt;
  return angle;
}

std::vector<std::string> Angle::parameters() const {
  std::vector<std::string> names;
  for (const Factor& factor : factors_)
    if (!factor.parameter.empty()) names.push_back(factor.parameter);
  return names;
}

std::optional<double> Angle::value(const Parameters& parameters) const {
  double value = sign_;
  for (const Factor& factor : factors_) {
    const double next =
        factor.parameter.empty() ? factor.number : parameters.find(factor.parameter)->second;
    value = factor.divides ? value / next : value * next;
  }
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace rankine::circuit
