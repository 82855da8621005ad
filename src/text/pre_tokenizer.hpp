// Cuts a text into the words that pair encoding treats one by one.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "text/pattern.hpp"

namespace rankine::text {

/// What becomes of the parts that a pattern matches and of those between.
enum class Keep {
  all_parts,        ///< tokenizers: Isolated
  between_matches,  ///< tokenizers: Removed
  matches,          ///< tokenizers: Removed, inverted
};

struct SplitStep {
  Pattern pattern;
  Keep keep;
};

class PreTokenizer {
 public:
  void add(SplitStep step) { steps_.push_back(std::move(step)); }

  /// The next step splits words that each begin with a space, put there if need be.
  void add_prefix_space() { spaced_before_ = steps_.size(); }

  /// Words of `text` in order, none empty, as views into `text` or into strings added to `owned`,
  /// which must outlive them.
  std::vector<std::string_view> split(std::string_view text, std::deque<std::string>& owned) const;

 private:
  std::vector<SplitStep> steps_;
  std::size_t spaced_before_ = static_cast<std::size_t>(-1);
};

}  // namespace rankine::text
