// Cuts a text into the words that the model treats one by one.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/pattern.hpp"

namespace rankine::text {

/// What becomes of the parts that a pattern matches and of those between.
enum class Keep {
  all_parts,             ///< tokenizers: Isolated
  between_matches,       ///< Removed
  merged_with_previous,  ///< MergedWithPrevious: a match belongs to the part before it
  merged_with_next,      ///< MergedWithNext
  runs,                  ///< Contiguous: neighbouring matches are one part
};

struct SplitStep {
  Pattern pattern;
  Keep keep;
  bool is_inverted = false;  ///< what lies between matches counts as match, and the other way round
};

/// Which words get a blank before them if they have none.
enum class Beginning { as_it_is, first_blank, every_blank };

/// Writes another character for blanks (" " itself: none).
struct Metaspace {
  std::string blank;
  Beginning beginning;
};

/// Part of a text between added tokens.
struct Stretch {
  std::string_view text;
  bool is_first;  ///< nothing of the text lies before it
};

class PreTokenizer {
 public:
  void add(SplitStep step) { steps_.emplace_back(std::move(step)); }
  void add(Metaspace step) { steps_.emplace_back(std::move(step)); }

  /// Words of `stretch` in order, none empty, as views into it or into strings added to `owned`,
  /// which must outlive them.
  std::vector<std::string_view> split(const Stretch& stretch, std::deque<std::string>& owned) const;

 private:
  std::vector<std::variant<SplitStep, Metaspace>> steps_;
};

}  // namespace rankine::text
