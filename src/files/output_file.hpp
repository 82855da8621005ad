// Puts bytes on disk so that a file is there whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace rankine::files {

/// For use before heavy work: throws if a file could not be created at `path` now: InputError (no
/// such folder, no permission, a folder of that name) or ResourceError (disk full). An existing
/// file stays as it is.
void check_writable(const std::filesystem::path& path);

/// Writes to "<path>.new", then renames. An existing file at `path` stays whole until it is
/// replaced; after a failure no "<path>.new" is left. Throws InputError or ResourceError.
void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Renames within a folder, replacing an existing file. Throws InputError or ResourceError.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace rankine::files
