#include "files/output_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/errors.hpp"
#include "core/input_file.hpp"

namespace rankine::files {

namespace {

namespace fs = std::filesystem;

bool is_resource(int error_number) {
  constexpr std::array resources = {ENOSPC, EDQUOT, EFBIG, EIO, ENOMEM, EMFILE, ENFILE};
  return std::ranges::find(resources, error_number) != resources.end();
}

constexpr std::string_view temporary_mark = ".new-";
constexpr std::size_t random_letters = 12;

fs::path folder_around(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// A new file that disappears unless it is renamed to its final name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& final_path) : final_path_(final_path) {
    do {
      path_ = temporary_name(final_path);
      descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) throw_cannot_write(final_path, errno);
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
      if (written < 0) throw_cannot_write(final_path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Not before the bytes are on the disk: a crash then leaves the old file or the new one.
  void put_in_place() {
    if (fsync(descriptor_) != 0 && errno != EINVAL) throw_cannot_write(final_path_, errno);
    if (close(std::exchange(descriptor_, -1)) != 0) throw_cannot_write(final_path_, errno);
    rename_file(path_, final_path_);
    renamed_ = true;
  }

 private:
  fs::path final_path_;
  fs::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

void throw_cannot_write(const fs::path& path, int error_number) {
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

fs::path temporary_name(const fs::path& path) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::uniform_int_distribution<std::size_t> letter(0, letters.size() - 1);
  std::string name = path.string();
  name += temporary_mark;
  for (std::size_t k = 0; k < random_letters; ++k) name += letters[letter(device)];
  return name;
}

void remove_leftovers(const fs::path& path) noexcept {
  try {
    const std::string mine = path.filename().string() + std::string(temporary_mark);
    for (const auto& entry : fs::directory_iterator(folder_around(path))) {
      const std::string name = entry.path().filename().string();
      std::error_code ignored;
      if (name.starts_with(mine) && name.size() == mine.size() + random_letters)
        fs::remove(entry.path(), ignored);
    }
  } catch (...) {  // They take room, and that is all.
  }
}

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
  const fs::path folder = folder_around(path);
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(
        fmt::format("Cannot write '{}' (there is no folder '{}'{}). Create the folder first.",
                    path.string(), folder.string(), start_of_relative(folder)));
  }
  // A name of its own, so that the check disturbs no run that is writing the same results.
  std::string probe = path.string() + ".check-XXXXXX";
  const int descriptor = mkstemp(probe.data());
  if (descriptor < 0) throw_cannot_write(path, errno);
  close(descriptor);
  unlink(probe.c_str());
}

void write_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  TemporaryFile file(path);
  file.write(bytes);
  file.put_in_place();
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw_cannot_write(to, errno);
}

}  // namespace rankine::files
