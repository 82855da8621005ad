// The program's log: lines on stderr, and a copy of them for the result file.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <vector>

namespace rankine {

/// The logger of this process. Rank 0 logs all; other ranks only warnings and above.
spdlog::logger& log();

/// Names this process in its log lines: every rank but 0 gets the prefix "rank N:" and is limited
/// to warnings and above.
void set_log_rank(int rank);

/// The lines logged so far in this process, oldest first.
std::vector<std::string> log_lines();

}  // namespace rankine
