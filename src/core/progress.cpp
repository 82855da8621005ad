#include "core/progress.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "core/memory.hpp"
#include "core/terminal.hpp"
#include "core/text_format.hpp"

namespace rankine {

namespace {

constexpr double rewrite_interval_seconds = 0.2;

/// Plain lines are at least this part of the elapsed time apart: a day's job writes some hundred.
constexpr double plain_interval_growth = 0.02;

double seconds_left(double fraction_done, double elapsed_seconds) {
  if (!(fraction_done > 0)) return std::numeric_limits<double>::quiet_NaN();
  return elapsed_seconds * std::max(0.0, 1 - fraction_done) / fraction_done;
}

}  // namespace

std::string progress_text(double fraction_done, std::string_view text, double elapsed_seconds,
                          std::uint64_t resident_bytes) {
  return fmt::format("{:5.1f} % | {} left | {} | {} elapsed, {}", 100 * fraction_done,
                     format_duration(seconds_left(fraction_done, elapsed_seconds)), text,
                     format_duration(elapsed_seconds),
                     format_bytes(static_cast<double>(resident_bytes)));
}

ProgressLine::ProgressLine(Output output, std::chrono::duration<double> plain_interval)
    : style_(output == Output::silent     ? Style::none
             : Terminal::is_interactive() ? Style::rewritten
                                          : Style::plain),
      plain_interval_seconds_(plain_interval.count()) {}

ProgressLine::~ProgressLine() {
  try {
    finish();
  } catch (...) {  // A line that cannot be shown is no reason to end the program.
  }
}

void ProgressLine::update(double fraction_done, std::string_view text) {
  if (style_ == Style::none) return;
  fraction_done_ = fraction_done;
  text_ = text;
  has_news_ = true;
  if (is_due()) show();
}

void ProgressLine::finish() {
  if (has_news_) show();
  if (style_ == Style::rewritten) Terminal::instance().keep();
}

bool ProgressLine::is_due() const {
  const double now = elapsed_.seconds();
  const double interval = style_ == Style::rewritten
                              ? rewrite_interval_seconds
                              : std::max(plain_interval_seconds_, plain_interval_growth * now);
  return now - shown_at_seconds_ >= interval;
}

void ProgressLine::show() {
  shown_at_seconds_ = elapsed_.seconds();
  has_news_ = false;
  const std::string line =
      progress_text(fraction_done_, text_, shown_at_seconds_, resident_bytes());
  if (style_ == Style::rewritten) {
    Terminal::instance().rewrite(line);
  } else {
    Terminal::instance().write_line(line);
  }
}

}  // namespace rankine
