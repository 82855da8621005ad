#include "core/text_format.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>

namespace rankine {

std::string counted(std::int64_t count, std::string_view singular, std::string_view plural) {
  if (count == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", count, singular)
                        : fmt::format("{} {}", count, plural);
}

std::string format_bytes(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f} B", std::floor(bytes));
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = bytes / 1024;
  std::size_t unit = 0;
  // 1023.95 is where one decimal would round up to 1024.0.
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  if (value >= 1e4) return fmt::format("{:.1e} {}", value, units[unit]);
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  // Rounded before the split into units, so that no "60 s" appears.
  const double whole_seconds = std::round(seconds);
  if (whole_seconds < 3600) {
    return fmt::format("{:.0f} min {:02.0f} s", std::floor(whole_seconds / 60),
                       std::fmod(whole_seconds, 60));
  }
  const double minutes = std::round(seconds / 60);
  if (minutes < 24 * 60) {
    return fmt::format("{:.0f} h {:02.0f} min", std::floor(minutes / 60), std::fmod(minutes, 60));
  }
  const double hours = std::round(seconds / 3600);
  return fmt::format("{:.0f} d {:02.0f} h", std::floor(hours / 24), std::fmod(hours, 24));
}

}  // namespace rankine
