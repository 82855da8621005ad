// Words as the most probable sequence of tokens, each of which has a probability of its own.
//
// Kudo, "Subword regularization" (2018); the search is that of the package `tokenizers`, ties
// included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/vocabulary.hpp"

namespace rankine::text {

struct UnigramModel {
  struct Token {
    std::string text;
    double score;
  };
  std::vector<Token> tokens;
  Vocabulary vocabulary;  ///< the same by their texts
  std::int32_t unknown;   ///< the token of characters that are no tokens, neighbours as one
  ByteTokens bytes;       ///< taken in its place if there are all that the text needs
};

class Unigram {
 public:
  /// A token's id is its place in `model.tokens`.
  explicit Unigram(const UnigramModel& model);

  /// Appends the ids of `word` (plain UTF-8).
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  struct Node {
    std::int32_t token;
    double score;
    std::size_t begin;
    bool is_reached = false;
  };

  std::vector<Node> best_ends(std::string_view word) const;
  void append_text(std::string_view text, std::vector<std::int32_t>& ids) const;

  UnigramModel model_;
  std::unordered_map<std::uint64_t, std::uint32_t>
      next_;                            ///< of a prefix and a byte: longer prefix
  std::vector<std::int32_t> token_of_;  ///< by prefix; -1: no token
  double unknown_score_ = 0;
};

}  // namespace rankine::text
