// "Did you mean": the candidate closest to a mistyped word.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::deck {

/// Number of insertions, deletions, substitutions and swaps of neighbours that turn one word into
/// the other.
int edit_distance(std::string_view one, std::string_view other);

/// The closest candidate, if it differs in at most a third of its letters (at least one is
/// forgiven).
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace rankine::deck
