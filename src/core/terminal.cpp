#include "core/terminal.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace rankine {

namespace {

constexpr std::string_view clear_line = "\r\033[K";

std::size_t width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// A line as wide as the terminal would wrap and could not be rewritten.
std::string_view cut_to_width(std::string_view line) {
  const std::size_t longest = width() - 1;
  if (line.size() <= longest) return line;
  std::size_t end = longest;
  const auto continues_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
  };
  while (end > 0 && continues_character(line[end])) --end;
  return line.substr(0, end);
}

}  // namespace

Terminal& Terminal::instance() {
  static Terminal terminal;
  return terminal;
}

bool Terminal::is_interactive() { return isatty(STDERR_FILENO) == 1; }

void Terminal::write_line(std::string_view line) {
  const std::lock_guard lock(mutex_);
  const std::string_view clear = in_progress_.empty() ? std::string_view() : clear_line;
  fmt::print(stderr, "{}{}\n{}", clear, line, in_progress_);
  std::fflush(stderr);
}

void Terminal::rewrite(std::string_view line) {
  const std::lock_guard lock(mutex_);
  in_progress_ = cut_to_width(line);
  fmt::print(stderr, "{}{}", clear_line, in_progress_);
  std::fflush(stderr);
}

void Terminal::keep() {
  const std::lock_guard lock(mutex_);
  if (!in_progress_.empty()) fmt::print(stderr, "\n");
  std::fflush(stderr);
  in_progress_.clear();
}

}  // namespace rankine
