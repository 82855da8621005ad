// One run for each output file: a second one is refused while the first lives.
#pragma once

#include <filesystem>
#include <string>

namespace rankine::files {

/// Holds "<path>.lock" from its construction to its destruction. The file says who holds it, and is
/// locked as well, so that one left behind by a killed run is no hindrance, on this node or
/// another.
class OutputLock {
 public:
  /// `program` is named to whoever comes second. Throws InputError, naming the run that holds it,
  /// and as check_writable.
  OutputLock(const std::filesystem::path& path, const std::string& program);
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;
  ~OutputLock();

  const std::filesystem::path& file() const { return lock_path_; }

 private:
  bool take();
  bool is_held_without_locks(const std::string& owner) const;
  [[noreturn]] void refuse(const std::string& owner, const std::string& advice) const;

  std::filesystem::path path_;
  std::filesystem::path lock_path_;
  int descriptor_ = -1;
};

}  // namespace rankine::files
