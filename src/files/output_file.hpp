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

/// A name beside `path` that nobody can foresee: "<path>.new-" and random letters.
std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Removes the files of such names beside `path` that killed runs left; no error if it cannot.
void remove_leftovers(const std::filesystem::path& path) noexcept;

/// Writes to a new file of a temporary name, which follows no link, then renames it. An existing
/// file at `path` stays whole until it is replaced; after a failure no temporary file is left.
/// Throws InputError or ResourceError.
void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Renames within a folder, replacing an existing file. Throws InputError or ResourceError.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// What a failed system call means for the user: InputError or ResourceError.
[[noreturn]] void throw_cannot_write(const std::filesystem::path& path, int error_number);

}  // namespace rankine::files
