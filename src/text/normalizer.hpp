// Rewrites a text before it is cut into words: Unicode forms, case, blanks, replacements.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/pattern.hpp"

namespace rankine::text {

/// Takes and gives valid UTF-8.
using NormalizerStep = std::function<std::string(std::string_view)>;

class Normalizer {
 public:
  void add(NormalizerStep step) { steps_.push_back(std::move(step)); }

  bool changes_nothing() const { return steps_.empty(); }
  std::string operator()(std::string_view text) const;

 private:
  std::vector<NormalizerStep> steps_;
};

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

/// As the Rust crate of the package `tokenizers` has it: what came after Unicode 9 stays as
/// it is.
NormalizerStep to_unicode_form(UnicodeForm form);

/// Character by character, by Unicode 17.
NormalizerStep to_lowercase();

/// Without the marks of Unicode 9.
NormalizerStep without_accents();

/// Without white space at the ends.
NormalizerStep stripped(bool left, bool right);

/// With `beginning` before a text that is not empty.
NormalizerStep with_beginning(std::string beginning);

NormalizerStep replaced(Pattern pattern, std::string content);

}  // namespace rankine::text
