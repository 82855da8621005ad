// Keeps the input that ends the process: by a crash, by too much time, by a sanitizer.
#pragma once

#include <filesystem>
#include <string>

namespace rankine::fuzz {

/// The most processor time an input may take.
inline constexpr int seconds_per_input = 10;
/// The most memory an input may take; not with the address sanitizer, which reserves more.
inline constexpr std::size_t bytes_per_input = std::size_t{1} << 30;

/// From now on an input that ends the process is left in a file, and what the targets write to
/// stderr goes nowhere.
void watch_process();

/// Writes a line to what was stderr when the watch began.
void report(const std::string& line);

/// `input` goes into `file` if the process ends before `input_is_done`. Both outlive that.
void input_begins(const std::string& input, const std::string& file);
void input_is_done();

}  // namespace rankine::fuzz
