// Folders that a run will write into.
#pragma once

#include <filesystem>
#include <string>

namespace rankine::files {

/// For use before heavy work: throws InputError or ResourceError if a folder could not be created
/// at `path`, or files not be created in it, now. `name` stands for it in messages: "'out'".
/// Nothing stays changed.
void check_folder_writable(const std::filesystem::path& path, const std::string& name);

}  // namespace rankine::files
