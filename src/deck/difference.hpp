// In what two effective decks differ: why results of one are not results of the other.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::deck {

/// Values as TOML by keyword ("section.name").
using DeckValues = std::map<std::string, std::string>;

/// The values of a text that effective_deck made. Throws InputError if it is none; `file` is its
/// name in messages.
DeckValues values_of_effective_deck(std::string_view text, const std::string& file);

/// Without those that change no number: the title, and the sections [run], [output], [parallel].
DeckValues values_that_count(DeckValues values);

/// "circuit.steps = 9 there, 20 here" for each keyword that differs; one that is not set on one
/// side is "not set" there.
std::vector<std::string> differences(const DeckValues& there, const DeckValues& here);

}  // namespace rankine::deck
