#include "core/input_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "core/input_records.hpp"
#include "core/text_format.hpp"

namespace rankine {

namespace {

namespace fs = std::filesystem;

std::string reason_of(const fs::path& path, int error_number) {
  if (error_number != ENOENT) return std::generic_category().message(error_number);
  return "there is no such file" + start_of_relative(path);
}

[[noreturn]] void refuse(const fs::path& path, int error_number) {
  throw UnreadableInput(path, reason_of(path, error_number));
}

void check_kind(const fs::path& path, mode_t mode) {
  if (S_ISREG(mode)) return;
  throw UnreadableInput(path, S_ISDIR(mode)    ? "it is a folder"
                              : S_ISFIFO(mode) ? "it is a pipe, not a file"
                              : S_ISSOCK(mode) ? "it is a socket, not a file"
                                               : "it is a device, not a file");
}

/// A file that closes itself. The kind is looked at before it is opened, since opening alone moves
/// some devices, and again afterwards, since another may have taken the name.
class OpenInput {
 public:
  explicit OpenInput(const fs::path& path) : path_(path) {
    if (path.native().find('\0') != std::string::npos)
      throw UnreadableInput(path.c_str(), "its name holds a zero byte");
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) refuse(path, errno);
    check_kind(path, facts.st_mode);
    descriptor_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor_ < 0) refuse(path, errno);
    try {
      if (fstat(descriptor_, &facts) != 0) refuse(path, errno);
      check_kind(path, facts.st_mode);
    } catch (...) {
      close(descriptor_);
      throw;
    }
    bytes_ = static_cast<std::uint64_t>(facts.st_size);
  }
  OpenInput(const OpenInput&) = delete;
  OpenInput& operator=(const OpenInput&) = delete;
  ~OpenInput() { close(descriptor_); }

  std::uint64_t bytes() const { return bytes_; }
  /// The next bytes, at most `count`; none at the end.
  std::size_t read(char* target, std::size_t count) {
    ssize_t got = -1;
    do got = ::read(descriptor_, target, count);
    while (got < 0 && errno == EINTR);
    if (got < 0) refuse(path_, errno);
    return static_cast<std::size_t>(got);
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace

UnreadableInput::UnreadableInput(const fs::path& path, const std::string& reason,
                                 std::source_location where)
    : InputError(
          fmt::format("Cannot read '{}' ({}). Name a file that exists and that you may read.",
                      path.string(), reason),
          where),
      reason_(reason) {}

void check_input(const fs::path& path) {
  if (!InputReplay::has(path.native())) OpenInput file(path);
}

bool input_exists(const fs::path& path) {
  std::error_code ignored;
  return InputReplay::has(path.native()) || fs::exists(path, ignored);
}

InputStart read_input_start(const fs::path& path, std::uint64_t most_bytes) {
  if (const InputRecord* record = InputReplay::find(path.native(), most_bytes))
    return {record->bytes, record->file_bytes};
  OpenInput file(path);
  InputStart start{.bytes = {}, .file_bytes = file.bytes()};
  start.bytes.reserve(static_cast<std::size_t>(std::min(file.bytes(), most_bytes)));
  std::array<char, 65536> piece;
  while (start.bytes.size() < most_bytes) {
    const std::uint64_t wanted =
        std::min<std::uint64_t>(piece.size(), most_bytes - start.bytes.size());
    const std::size_t got = file.read(piece.data(), static_cast<std::size_t>(wanted));
    if (got == 0) break;
    start.bytes.append(piece.data(), got);
  }
  start.file_bytes = std::max<std::uint64_t>(start.file_bytes, start.bytes.size());
  if (InputRecorder::is_recording())
    InputRecorder::record({path.native(), most_bytes, start.file_bytes, start.bytes});
  return start;
}

std::string read_input(const fs::path& path, std::uint64_t most_bytes) {
  // One more, to see whether there are more.
  const std::uint64_t asked = std::max(most_bytes, most_bytes + 1);
  InputStart start = read_input_start(path, asked);
  if (start.bytes.size() > most_bytes)
    throw UnreadableInput(path, fmt::format("it has more than {}, too much for a file of its kind",
                                            format_bytes(static_cast<double>(most_bytes))));
  return std::move(start.bytes);
}

std::string start_of_relative(const fs::path& path) {
  std::error_code unknown;
  const fs::path folder = fs::current_path(unknown);
  if (path.is_absolute() || unknown) return "";
  return fmt::format("; relative paths begin where the program was started, in '{}'",
                     folder.string());
}

std::string reason_of_absence(const fs::path& path) {
  struct stat facts {};
  return reason_of(path, stat(path.c_str(), &facts) == 0 ? ENOENT : errno);
}

}  // namespace rankine
