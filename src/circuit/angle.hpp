// Angles as people write them in gate lists: "0.25", "-3*pi/4", "2pi", "theta_h/2".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::circuit {

/// What the parameters of a circuit are at one point of a sweep, by name.
using Parameters = std::map<std::string, double, std::less<>>;

/// A product of numbers and names of parameters, with a sign before it and / between factors; a
/// number may stand directly before a name. Numbers too small for a double are 0; `pi` is a number.
class Angle {
 public:
  /// Nothing for anything else, and for what is not finite whatever the parameters are.
  static std::optional<Angle> parse(std::string_view text);

  /// As it was written.
  const std::string& text() const { return text_; }
  /// The parameters it depends on, as often as they stand there.
  std::vector<std::string> parameters() const;
  /// Nothing when that is not finite. All parameters have values.
  std::optional<double> value(const Parameters& parameters) const;

 private:
  friend class AngleReader;
  struct Factor {
    bool divides = false;
    double number = 1;
    std::string parameter = {};  ///< empty for a number
  };

  std::string text_;
  double sign_ = 1;
  std::vector<Factor> factors_;
};

}  // namespace rankine::circuit
