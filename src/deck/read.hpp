// Reads a deck and its overrides into the members a schema binds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deck/schema.hpp"

namespace rankine::deck {

/// The text of a deck file, for one rank to load and all to read.
/// @throws InputError when the file is missing or cannot be read
std::string load(const std::string& path);

/// Reads TOML text, then overrides "section.key=value" (TOML values; a text that is none, and any
/// text for a string keyword, may stand without quotes). The last value given for a keyword wins,
/// but every value given is checked. `file` names the deck in sources and messages.
/// @throws InputError with all problems together; the bound members are then unspecified
void read_text(Schema& schema, std::string_view text, const std::string& file,
               const std::vector<std::string>& overrides = {});

/// load and read_text in one.
void read(Schema& schema, const std::string& path, const std::vector<std::string>& overrides = {});

}  // namespace rankine::deck
