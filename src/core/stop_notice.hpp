// What the program says when it is told to stop (SIGINT, SIGTERM): a line prepared beforehand,
// since a signal handler may compose none.
#pragma once

#include <filesystem>
#include <string_view>

namespace rankine {

/// From now on a stop writes "stopped by SIGTERM: " and the last notice to stderr before the
/// program ends as it would have. A signal that the program was started to ignore stays ignored.
void announce_stops();

/// `text` says what is kept; empty for nothing to say. `litter` is a file to remove then; empty for
/// none. What is longer than a few hundred bytes is cut.
void set_stop_notice(std::string_view text, const std::filesystem::path& litter = {});

}  // namespace rankine
