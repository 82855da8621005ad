#include "files/output_lock.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>

#include "core/errors.hpp"
#include "files/output_file.hpp"

namespace rankine::files {

namespace {

std::string name_of_host() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unknown host";
}

/// "process 4711 on node3 (rankine-simulate, since 2026-01-31T12:00:00Z)".
std::string describe_self(const std::string& program) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("process {} on {} ({}, since {:%Y-%m-%dT%H:%M:%SZ})", getpid(), name_of_host(),
                     program, fmt::gmtime(now));
}

std::string read_owner(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t got = pread(descriptor, text.data(), text.size() - 1, 0);
  const std::string owner(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return owner.substr(0, owner.find('\n'));
}

/// Whether the open file still has its name: its last holder may have removed it meanwhile.
bool has_name(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {
  }, named{};
  return fstat(descriptor, &open_file) == 0 && lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

}  // namespace

OutputLock::OutputLock(const std::filesystem::path& path, const std::string& program)
    : path_(path), lock_path_(path) {
  lock_path_ += ".lock";
  while (!take()) close(descriptor_);
  const std::string text = describe_self(program) + "\n";
  // A full disk shows when results are saved; the lock holds without its text.
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, text.data(), text.size(), 0) < 0)
    return;
}

OutputLock::~OutputLock() {
  unlink(lock_path_.c_str());  // before the lock is given up, so that it is this run's file
  close(descriptor_);
}

/// False if the file lost its name before it was locked.
bool OutputLock::take() {
  descriptor_ = open(lock_path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_cannot_write(lock_path_, errno);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return has_name(descriptor_, lock_path_);
  const bool is_held = errno == EWOULDBLOCK;
  const std::string owner = read_owner(descriptor_);
  if (is_held) {
    close(descriptor_);
    refuse(owner, "Wait for it, or choose another name.");
  }
  if (is_held_without_locks(owner)) {
    close(descriptor_);
    refuse(owner, fmt::format("Wait for it, or choose another name; if it has ended, remove '{}'.",
                              lock_path_.string()));
  }
  return true;
}

/// Where a file system knows no locks: unless the process named is one of this host that has ended.
bool OutputLock::is_held_without_locks(const std::string& owner) const {
  std::istringstream words(owner);
  std::string process, on, host;
  pid_t number = 0;
  if (!(words >> process >> number >> on >> host)) return false;
  return host != name_of_host() || kill(number, 0) == 0 || errno != ESRCH;
}

void OutputLock::refuse(const std::string& owner, const std::string& advice) const {
  throw InputError(fmt::format("Cannot write '{}' (another run is writing it: {}). {}",
                               path_.string(), owner.empty() ? "one that has just begun" : owner,
                               advice));
}

}  // namespace rankine::files
