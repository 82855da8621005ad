#include "files/output_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include "core/errors.hpp"

namespace rankine::files {

namespace {

namespace fs = std::filesystem;

bool is_resource(int error_number) {
  constexpr std::array resources = {ENOSPC, EDQUOT, EFBIG, EIO, ENOMEM, EMFILE, ENFILE};
  return std::ranges::find(resources, error_number) != resources.end();
}

[[noreturn]] void throw_cannot_write(const fs::path& path, int error_number) {
  const std::string reason = std::generic_category().message(error_number);
  if (is_resource(error_number)) {
    throw ResourceError(
        fmt::format("Cannot write '{}' ({}). Free space there or choose another folder.",
                    path.string(), reason));
  }
  throw InputError(
      fmt::format("Cannot write '{}' ({}). Choose a folder that exists and that you may write to.",
                  path.string(), reason));
}

/// A new file that disappears unless it is renamed to its final name.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path)
      : path_(std::move(path)),
        descriptor_(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) throw_cannot_write(path_, errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(path_.c_str());
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_cannot_write(path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Not before the bytes are on the disk: a crash then leaves the old file or the new one.
  void rename_to(const fs::path& final_path) {
    if (fsync(descriptor_) != 0 && errno != EINVAL) throw_cannot_write(path_, errno);
    if (close(std::exchange(descriptor_, -1)) != 0) throw_cannot_write(path_, errno);
    rename_file(path_, final_path);
    renamed_ = true;
  }

 private:
  fs::path path_;
  int descriptor_;
  bool renamed_ = false;
};

}  // namespace

void check_writable(const fs::path& path) {
  if (!path.has_filename()) {
    throw InputError(
        fmt::format("Cannot write '{}' (it names no file). Name a file, such as "
                    "\"results.h5\".",
                    path.string()));
  }
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw InputError(
        fmt::format("Cannot write '{}' (a folder of that name exists). Choose another "
                    "name for the file.",
                    path.string()));
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(
        fmt::format("Cannot write '{}' (there is no folder '{}'). Create the folder "
                    "first.",
                    path.string(), folder.string()));
  }
  // A name of its own, so that the check disturbs no run that is writing the same results.
  std::string probe = path.string() + ".check-XXXXXX";
  const int descriptor = mkstemp(probe.data());
  if (descriptor < 0) throw_cannot_write(path, errno);
  close(descriptor);
  unlink(probe.c_str());
}

void write_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  fs::path temporary = path;
  TemporaryFile file(temporary += ".new");
  file.write(bytes);
  file.rename_to(path);
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw_cannot_write(to, errno);
}

}  // namespace rankine::files
