#include "text/pre_tokenizer.hpp"

namespace rankine::text {

namespace {

bool keeps(Keep keep, const PatternPart& part) {
  return keep == Keep::all_parts || part.is_match == (keep == Keep::matches);
}

std::vector<std::string_view> split_words(const SplitStep& step,
                                          const std::vector<std::string_view>& words) {
  std::vector<std::string_view> parts;
  for (const std::string_view word : words) {
    for (const PatternPart& part : step.pattern.cut(word)) {
      if (keeps(step.keep, part)) parts.push_back(part.text);
    }
  }
  return parts;
}

void begin_with_space(std::vector<std::string_view>& words, std::deque<std::string>& owned) {
  for (std::string_view& word : words) {
    if (!word.starts_with(' ')) word = owned.emplace_back(" " + std::string(word));
  }
}

}  // namespace

std::vector<std::string_view> PreTokenizer::split(std::string_view text,
                                                  std::deque<std::string>& owned) const {
  std::vector<std::string_view> words;
  if (!text.empty()) words.push_back(text);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (i == spaced_before_) begin_with_space(words, owned);
    words = split_words(steps_[i], words);
  }
  if (spaced_before_ == steps_.size()) begin_with_space(words, owned);
  return words;
}

}  // namespace rankine::text
