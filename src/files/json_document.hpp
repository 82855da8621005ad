// Reads JSON strictly: what is malformed, names a key twice or is nested too deeply is an
// InputError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rankine::files {

/// `source` names the text in messages, such as "'config.json'".
nlohmann::json parse_json(std::string_view text, const std::string& source);

/// Throws InputError also if the file cannot be read.
nlohmann::json read_json(const std::filesystem::path& path);

/// All bytes of a file. Throws UnreadableInput, an InputError, if it cannot be read.
std::string read_text(const std::filesystem::path& path);

}  // namespace rankine::files
