// The only writer to stderr: keeps log lines and the line in progress apart.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace rankine {

/// Private to the room core; the log and the progress line share the one instance.
class Terminal {
 public:
  static Terminal& instance();

  /// Whether stderr is a terminal that understands the rewriting of a line.
  static bool is_interactive();

  /// Writes a finished line; a line in progress is moved below it.
  void write_line(std::string_view line);

  /// Shows `line` in place of the one shown before, cut to the width of the terminal.
  void rewrite(std::string_view line);

  /// Ends the line in progress, leaving it in view.
  void keep();

 private:
  Terminal() = default;

  std::mutex mutex_;
  std::string in_progress_;
};

}  // namespace rankine
