// Angles as people write them in gate lists: "0.25", "-3*pi/4", "2pi", "theta_h/2".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rankine::circuit {

/// The value of a product of numbers and symbols, with a sign before it and / between factors; a
/// number may stand directly before a symbol. Numbers too small for a double are 0. No value for
/// anything else, an unknown symbol, or what is not finite. `pi` is always known.
std::optional<double> evaluate_angle(std::string_view text,
                                     const std::map<std::string, double, std::less<>>& symbols);

}  // namespace rankine::circuit
