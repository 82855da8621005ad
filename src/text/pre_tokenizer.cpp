#include "text/pre_tokenizer.hpp"

#include <algorithm>

namespace rankine::text {

namespace {

using Words = std::vector<std::string_view>;

/// Two neighbouring parts of one text.
std::string_view joined(std::string_view left, std::string_view right) {
  return {left.data(), left.size() + right.size()};
}

/// Whether a part belongs to the one before it.
bool joins_previous(Keep keep, const PatternPart& previous, const PatternPart& part) {
  switch (keep) {
    case Keep::merged_with_previous:
      return part.is_match && !previous.is_match;
    case Keep::merged_with_next:
      return previous.is_match && !part.is_match;
    case Keep::runs:
      return part.is_match == previous.is_match;
    case Keep::all_parts:
    case Keep::between_matches:
      break;
  }
  return false;
}

void split_word(const SplitStep& step, std::string_view word, Words& words) {
  std::vector<PatternPart> parts = step.pattern.cut(word);
  for (PatternPart& part : parts) part.is_match ^= step.is_inverted;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && joins_previous(step.keep, parts[i - 1], parts[i])) {
      words.back() = joined(words.back(), parts[i].text);
    } else if (step.keep != Keep::between_matches || !parts[i].is_match) {
      words.push_back(parts[i].text);
    }
  }
}

std::string with_blanks_as(std::string_view word, const std::string& blank) {
  std::string result;
  for (const char c : word) {
    if (c == ' ') {
      result += blank;
    } else {
      result += c;
    }
  }
  return result;
}

std::string_view blanks_written(const Metaspace& step, std::string_view word, bool is_first,
                                std::deque<std::string>& owned) {
  const bool changes = step.blank != " " && word.find(' ') != word.npos;
  if (changes) word = owned.emplace_back(with_blanks_as(word, step.blank));
  const bool begins_blank = step.beginning == Beginning::every_blank ||
                            (step.beginning == Beginning::first_blank && is_first);
  if (!begins_blank || word.starts_with(step.blank)) return word;
  return owned.emplace_back(step.blank + std::string(word));
}

}  // namespace

std::vector<std::string_view> PreTokenizer::split(const Stretch& stretch,
                                                  std::deque<std::string>& owned) const {
  Words words;
  if (!stretch.text.empty()) words.push_back(stretch.text);
  for (const auto& step : steps_) {
    if (const auto* metaspace = std::get_if<Metaspace>(&step)) {
      for (std::string_view& word : words) {
        const bool is_first = stretch.is_first && word.data() == stretch.text.data();
        word = blanks_written(*metaspace, word, is_first, owned);
      }
      continue;
    }
    Words parts;
    for (const std::string_view word : words) split_word(std::get<SplitStep>(step), word, parts);
    words = std::move(parts);
  }
  return words;
}

}  // namespace rankine::text
