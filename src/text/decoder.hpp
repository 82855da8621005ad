// Puts the texts of tokens together to one text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::text {

/// Changes a list of texts.
using DecoderStep = std::function<void(std::vector<std::string>&)>;

class Decoder {
 public:
  void add(DecoderStep step) { steps_.push_back(std::move(step)); }

  /// What the steps make of `tokens`, joined. Without steps blanks part them. Bytes that are no
  /// UTF-8 become U+FFFD.
  std::string operator()(std::vector<std::string> tokens) const;

 private:
  std::vector<DecoderStep> steps_;
};

/// Symbols of bytes become the bytes; a text with another character in it stays. One text is left.
void join_byte_symbols(std::vector<std::string>& texts);

/// Neighbouring texts "<0xNN>" become the bytes, or as many U+FFFD if those are no UTF-8.
void join_byte_tokens(std::vector<std::string>& texts);

/// One text is left.
void fuse(std::vector<std::string>& texts);

/// In each text.
DecoderStep replace_all(std::string text, std::string content);

/// Takes the character `content` away, up to so many times from each text's ends.
DecoderStep strip_ends(std::string content, std::size_t from_begin, std::size_t from_end);

/// The character `replacement` becomes a blank, or vanishes in the first text if texts were given
/// one that was not theirs.
DecoderStep blanks_for(std::string replacement, bool vanishes_in_first);

}  // namespace rankine::text
