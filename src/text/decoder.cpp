#include "text/decoder.hpp"

#include <charconv>
#include <numeric>
#include <optional>

#include "text/byte_symbols.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

namespace {

std::string with_replacements(std::string_view text, std::string_view old,
                              std::string_view content) {
  std::string result;
  for (std::size_t done = 0; done < text.size();) {
    const std::size_t found = std::min(text.find(old, done), text.size());
    result += text.substr(done, found - done);
    if (found < text.size()) result += content;
    done = found + old.size();
  }
  return result;
}

/// Of "<0xNN>".
std::optional<char> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  unsigned value = 0;
  const char* end = token.data() + 5;
  if (std::from_chars(token.data() + 3, end, value, 16).ptr != end) return std::nullopt;
  return static_cast<char>(value);
}

/// The text of bytes, or U+FFFD for each.
std::string text_of_bytes(const std::string& bytes) {
  if (!find_invalid_utf8(bytes)) return bytes;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) append_utf8(text, U'\ufffd');
  return text;
}

}  // namespace

std::string Decoder::operator()(std::vector<std::string> tokens) const {
  std::string text;
  for (const DecoderStep& step : steps_) step(tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (steps_.empty() && i > 0) text += ' ';
    text += tokens[i];
  }
  return replace_invalid_utf8(text);
}

void join_byte_symbols(std::vector<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts) bytes += bytes_of_symbols(text).value_or(text);
  texts = {replace_invalid_utf8(bytes)};
}

void join_byte_tokens(std::vector<std::string>& texts) {
  std::vector<std::string> result;
  std::string bytes;
  const auto end_bytes = [&] {
    if (!bytes.empty()) result.push_back(text_of_bytes(bytes));
    bytes.clear();
  };
  for (std::string& text : texts) {
    if (const auto byte = byte_of_token(text)) {
      bytes += *byte;
      continue;
    }
    end_bytes();
    result.push_back(std::move(text));
  }
  end_bytes();
  texts = std::move(result);
}

void fuse(std::vector<std::string>& texts) {
  texts = {std::accumulate(texts.begin(), texts.end(), std::string())};
}

DecoderStep replace_all(std::string old, std::string content) {
  return [old = std::move(old), content = std::move(content)](std::vector<std::string>& texts) {
    for (std::string& text : texts) text = with_replacements(text, old, content);
  };
}

DecoderStep strip_ends(std::string content, std::size_t from_begin, std::size_t from_end) {
  return [content = std::move(content), from_begin, from_end](std::vector<std::string>& texts) {
    for (std::string& text : texts) {
      for (std::size_t i = 0; i < from_begin && text.starts_with(content); ++i)
        text.erase(0, content.size());
      for (std::size_t i = 0; i < from_end && text.ends_with(content); ++i)
        text.resize(text.size() - content.size());
    }
  };
}

DecoderStep blanks_for(std::string replacement, bool vanishes_in_first) {
  return [replacement = std::move(replacement),
          vanishes_in_first](std::vector<std::string>& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i)
      texts[i] = with_replacements(texts[i], replacement, i == 0 && vanishes_in_first ? "" : " ");
  };
}

}  // namespace rankine::text
