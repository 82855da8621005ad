// What the declarations say to people: terminal help, a deck of defaults, the Markdown reference.
#pragma once

#include <string>
#include <string_view>

#include "deck/schema.hpp"

namespace rankine::deck {

/// Help for the terminal on all keywords, on a "section" or on one "section.key".
/// @throws InputError with a suggestion when there is no such topic
std::string help_deck(const Schema& schema, std::string_view topic = "");

/// A deck of all defaults with comments; keywords without one are commented out.
std::string default_deck(const Schema& schema);

/// The input reference of `program`: one table per section.
std::string reference_markdown(const Schema& schema, std::string_view program);

}  // namespace rankine::deck
