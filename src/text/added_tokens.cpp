#include "text/added_tokens.hpp"

#include <algorithm>
#include <utility>

#include "text/utf8.hpp"

namespace rankine::text {

namespace {

/// Length of the white space that `text` begins with.
std::size_t leading_white_space(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size()) {
    const CodePoint code_point = first_code_point(text.substr(length));
    if (!is_white_space(code_point.value.value_or(U'x'))) break;
    length += code_point.bytes;
  }
  return length;
}

/// Length of `text` without the white space that it ends with.
std::size_t without_trailing_white_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xc0u) == 0x80u) --begin;
    const CodePoint code_point = first_code_point(text.substr(begin));
    if (!is_white_space(code_point.value.value_or(U'x'))) break;
    end = begin;
  }
  return end;
}

std::size_t first_byte(std::string_view text) { return static_cast<unsigned char>(text.front()); }

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : first_pass_(256), second_pass_(256) {
  std::ranges::sort(tokens, std::greater(),
                    [](const AddedToken& token) { return token.content.size(); });
  for (AddedToken& token : tokens) {
    ByFirstByte& pass = token.pass == Pass::first ? first_pass_ : second_pass_;
    pass[first_byte(token.content)].push_back(std::move(token));
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

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& on_text,
                        const std::function<void(std::int32_t)>& on_token) const {
  split(
      first_pass_, text,
      [&](std::string_view part) { split(second_pass_, part, on_text, on_token); }, on_token);
}

}  // namespace rankine::text
