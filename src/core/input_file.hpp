// Files that a user names as input: all are opened here, and refused for one list of reasons. What
// another rank has read already (core/input_records.hpp) is taken from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <source_location>
#include <string>

#include "core/errors.hpp"

namespace rankine {

/// An input that cannot be read. `what()` is a whole message; `reason()` is what stands in its
/// brackets, for messages of the caller's own.
class UnreadableInput : public InputError {
 public:
  UnreadableInput(const std::filesystem::path& path, const std::string& reason,
                  std::source_location where = std::source_location::current());
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string reason_;
};

/// Throws UnreadableInput unless `path` is an ordinary file that may be read. Pipes, devices and
/// folders are refused by their kind: reading one could wait for ever, or never end.
void check_input(const std::filesystem::path& path);

/// Whether there is anything of that name.
bool input_exists(const std::filesystem::path& path);

/// The first bytes of a file, and how many it has.
struct InputStart {
  std::string bytes;
  std::uint64_t file_bytes = 0;
};

/// At most `most_bytes` bytes from the start of an ordinary file. Throws UnreadableInput.
InputStart read_input_start(const std::filesystem::path& path, std::uint64_t most_bytes);

/// All bytes of an ordinary file; UnreadableInput also beyond `most_bytes`.
std::string read_input(const std::filesystem::path& path,
                       std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());

/// "; relative paths begin where the program was started, in '/home/me'"; nothing for absolute
/// paths.
std::string start_of_relative(const std::filesystem::path& path);

/// Why a file or folder is not found: "there is no such file", for a relative path with the place
/// where it was looked for, or what keeps one from looking.
std::string reason_of_absence(const std::filesystem::path& path);

}  // namespace rankine
