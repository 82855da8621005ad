// Tokens that are found in the text as they are, before it is cut into words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rankine::text {

/// Whether a token takes the white space beside it.
enum class Strip { nothing, white_space };

/// When a token is looked for: all of the first pass before any of the second.
enum class Pass { first, second };

struct AddedToken {
  std::string content;  ///< not empty
  std::int32_t id;
  Strip left;
  Strip right;
  Pass pass;
  bool is_special = false;  ///< stands for no text
};

class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens);

  /// Calls `on_text` for stretches without added tokens and `on_token` for added tokens, in order.
  /// Where several tokens begin, the longest is taken.
  void split(std::string_view text, const std::function<void(std::string_view)>& on_text,
             const std::function<void(std::int32_t)>& on_token) const;

 private:
  using ByFirstByte = std::vector<std::vector<AddedToken>>;  ///< longest first

  static const AddedToken* token_at(const ByFirstByte& tokens, std::string_view text);
  static void split(const ByFirstByte& tokens, std::string_view text,
                    const std::function<void(std::string_view)>& on_text,
                    const std::function<void(std::int32_t)>& on_token);

  ByFirstByte first_pass_;
  ByFirstByte second_pass_;
};

}  // namespace rankine::text
