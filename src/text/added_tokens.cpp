#include "text/added_tokens.hpp"

#include <algorithm>
#include <utility>

#include "text/utf8.hpp"

namespace rankine::text {

namespace {

std::size_t first_byte(std::string_view text) { return static_cast<unsigned char>(text.front()); }

/// Of one character.
bool is_word_character(std::string_view character) {
  static const Pattern pattern = Pattern::word_character();
  return pattern.cut(character).front().is_match;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view before = text.substr(0, begin);
  const std::string_view behind = text.substr(end);
  if (!before.empty() &&
      is_word_character(before.substr(before.size() - last_code_point(before).bytes)))
    return false;
  return behind.empty() || !is_word_character(behind.substr(0, first_code_point(behind).bytes));
}

}  // namespace

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens, const Normalizer& normalizer)
    : normalizer_(normalizer), first_pass_(256), second_pass_(256) {
  for (AddedToken token : tokens) {
    const bool is_first = token.pass == Pass::first;
    if (!is_first) token.content = normalizer(token.content);
    if (token.content.empty()) continue;
    (is_first ? first_pass_ : second_pass_)[first_byte(token.content)].push_back(std::move(token));
  }
  for (ByFirstByte* pass : {&first_pass_, &second_pass_}) {
    for (std::vector<AddedToken>& candidates : *pass) {
      std::ranges::stable_sort(candidates, std::greater(),
                               [](const AddedToken& token) { return token.content.size(); });
    }
  }
}

const AddedToken* AddedTokens::token_at(const ByFirstByte& tokens, std::string_view text) {
  const auto& candidates = tokens[first_byte(text)];
  const auto found = std::ranges::find_if(
      candidates, [text](const AddedToken& token) { return text.starts_with(token.content); });
  return found == candidates.end() ? nullptr : &*found;
}

void AddedTokens::split(const ByFirstByte& tokens, std::string_view text,
                        const std::function<void(std::string_view)>& on_text,
                        const std::function<void(std::int32_t)>& on_token) {
  std::size_t done = 0;  // bytes handed on; white space behind a token may reach beyond the search
  for (std::size_t i = 0; i < text.size();) {
    const AddedToken* token = token_at(tokens, text.substr(i));
    if (token == nullptr) {
      ++i;
      continue;
    }
    std::size_t begin = i;
    std::size_t end = i + token->content.size();
    i = end;
    if (token->is_word && !stands_alone(text, begin, end)) continue;
    if (token->left == Strip::white_space) {
      begin = std::max(without_trailing_white_space(text.substr(0, begin)), done);
    }
    if (token->right == Strip::white_space) end += leading_white_space(text.substr(end));
    if (done < begin) on_text(text.substr(done, begin - done));
    on_token(token->id);
    done = end;
  }
  if (done < text.size()) on_text(text.substr(done));
}

void AddedTokens::split(std::string_view text, std::deque<std::string>& owned,
                        const std::function<void(const Stretch&)>& on_text,
                        const std::function<void(std::int32_t)>& on_token) const {
  const auto on_part = [&](std::string_view part) {
    const bool is_first = part.data() == text.data();
    if (!normalizer_.changes_nothing()) part = owned.emplace_back(normalizer_(part));
    split(
        second_pass_, part,
        [&](std::string_view stretch) {
          on_text({stretch, is_first && stretch.data() == part.data()});
        },
        on_token);
  };
  split(first_pass_, text, on_part, on_token);
}

}  // namespace rankine::text
