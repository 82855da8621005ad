#include "files/output_folder.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "core/errors.hpp"

namespace rankine::files {

namespace fs = std::filesystem;

namespace {

/// The folder itself, or the nearest one above that is there. Throws the reason why there is none.
fs::path existing_part(const fs::path& path, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("{} cannot be written to ({}). Name another folder.", name, why));
  };
  fs::path part = path;
  while (true) {
    std::error_code error;
    const fs::file_status status = fs::status(part, error);
    if (fs::is_directory(status)) return part;
    if (fs::exists(status)) refuse(fmt::format("'{}' is no folder", part.string()));
    if (status.type() != fs::file_type::not_found) refuse(error.message());
    if (fs::is_symlink(fs::symlink_status(part, error)))
      refuse(fmt::format("the link '{}' leads nowhere", part.string()));
    const fs::path above = part.parent_path();
    if (above == part) return part;
    part = above.empty() ? fs::path(".") : above;
  }
}

}  // namespace

void check_folder_writable(const fs::path& path, const std::string& name) {
  // A name of its own, so that the check disturbs no run that is writing there.
  std::string probe = (existing_part(path, name) / ".rankine-check-XXXXXX").string();
  if (mkdtemp(probe.data()) != nullptr) {
    rmdir(probe.c_str());
    return;
  }
  const int failure = errno;
  const std::string why = std::generic_category().message(failure);
  if (failure == ENOSPC || failure == EDQUOT)
    throw ResourceError(fmt::format(
        "{} cannot be written to ({}). Free space there or name another folder.", name, why));
  throw InputError(
      fmt::format("{} cannot be written to ({}). Name a folder that you may write to.", name, why));
}

}  // namespace rankine::files
