// What the targets of the three programs' decks share.
#pragma once

#include <string>
#include <vector>

namespace rankine::fuzz {

/// The decks below inputs/ that this program reads.
std::vector<std::string> decks_of(const std::string& program);

/// Words of TOML and of decks.
std::vector<std::string> words_of_decks();

/// What lines such as "#override state.precision=float64" ask for, which TOML takes for comments:
/// arguments of the command line, kept in the input so that they are changed with it.
std::vector<std::string> overrides_in(const std::string& deck);

}  // namespace rankine::fuzz
