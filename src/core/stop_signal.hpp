// Signals that ask the program to stop (SIGTERM, SIGINT, SIGUSR1): the first is remembered, so that
// work ends at the next place from which it can go on; a second one ends the program at once.
#pragma once

#include <filesystem>
#include <string_view>

namespace rankine {

/// What a process says on stderr about a signal.
enum class StopWords { said, unsaid };

/// From now on the first signal is remembered (and, where `said`, told), and a second one writes
/// the last notice and ends the program as the signal does. One that the program was started to
/// ignore stays ignored.
void catch_stop_signals(StopWords words);

/// The first signal that came; 0 for none.
int stop_signal();

/// Forgets it, for tests.
void forget_stop_signal();

/// What a program that ends at once says of what is kept, prepared beforehand since a signal
/// handler may compose no text; empty for nothing to say. `litter` is a file to remove then; empty
/// for none. What is longer than a few hundred bytes is cut.
void set_stop_notice(std::string_view text, const std::filesystem::path& litter = {});

}  // namespace rankine
