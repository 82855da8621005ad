// One line that tells how far long work has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/timer.hpp"

namespace rankine {

/// Whether this process shows its progress: `shown` on rank 0, `silent` on the others.
enum class Output { shown, silent };

/// The text of one update: percentage, time left, `text`, time elapsed, memory of this process.
/// What people wait for comes first, since a terminal shows only the beginning.
std::string progress_text(double fraction_done, std::string_view text, double elapsed_seconds,
                          std::uint64_t resident_bytes);

/// On a terminal the line is rewritten in place; elsewhere (a batch job's output) a plain line is
/// written now and then, ever more rarely in long runs. Log lines do not collide with it.
class ProgressLine {
 public:
  /// `plain_interval`: the shortest time between two lines where stderr is not a terminal.
  explicit ProgressLine(Output output,
                        std::chrono::duration<double> plain_interval = std::chrono::seconds(10));
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  /// Leaves the last update in view, as finish() does.
  ~ProgressLine();

  /// Cheap enough for every step of a loop. `fraction_done`, in [0, 1], gives the time left; `text`
  /// is what the work has to say: step, current error measure.
  void update(double fraction_done, std::string_view text);

  /// Shows the last update for good. A later update begins a new line.
  void finish();

 private:
  bool is_due() const;
  void show();

  enum class Style { rewritten, plain, none };
  Style style_;
  double plain_interval_seconds_;
  Stopwatch elapsed_;
  double shown_at_seconds_ = 0;
  double fraction_done_ = 0;
  std::string text_;
  bool has_news_ = false;
};

}  // namespace rankine
