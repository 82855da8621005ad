// Tokens that are found in the text as they are, before it is cut into words.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.hpp"
#include "text/pre_tokenizer.hpp"

namespace rankine::text {

/// Whether a token takes the white space beside it.
enum class Strip { nothing, white_space };

/// When a token is looked for: all of the first pass, in the text as it is, before any of the
/// second, in what the normalizer makes of the text.
enum class Pass { first, second };

struct AddedToken {
  std::string content;  ///< not empty
  std::int32_t id;
  Strip left;
  Strip right;
  Pass pass;
  bool is_word = false;     ///< only where no letter, mark or digit is beside it
  bool is_special = false;  ///< stands for no text
};

class AddedTokens {
 public:
  /// `normalizer` outlives this object.
  AddedTokens(const std::vector<AddedToken>& tokens, const Normalizer& normalizer);

  /// Calls `on_text` for stretches without added tokens, which are normalised and outlive the call
  /// only if in `text` or in `owned`, and `on_token` for added tokens, in order. Where several
  /// tokens begin, the longest is taken.
  void split(std::string_view text, std::deque<std::string>& owned,
             const std::function<void(const Stretch&)>& on_text,
             const std::function<void(std::int32_t)>& on_token) const;

 private:
  using ByFirstByte = std::vector<std::vector<AddedToken>>;  ///< longest first

  static const AddedToken* token_at(const ByFirstByte& tokens, std::string_view text);
  static void split(const ByFirstByte& tokens, std::string_view text,
                    const std::function<void(std::string_view)>& on_text,
                    const std::function<void(std::int32_t)>& on_token);

  const Normalizer& normalizer_;
  ByFirstByte first_pass_;
  ByFirstByte second_pass_;
};

}  // namespace rankine::text
