// Pair encoding of one word: its letters become tokens, pairs of tokens merge by rank.
//
// Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units" (2016);
// letters are bytes as in Radford et al., "Language models are unsupervised multitask learners"
// (2019), or characters as in SentencePiece.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/vocabulary.hpp"

namespace rankine::text {

/// What pair encoding begins with: bytes, which tokens write as symbols, or characters.
enum class Letters { bytes, characters };

/// What to do with a letter that the vocabulary lacks.
struct UnknownLetters {
  ByteTokens bytes;                   ///< taken if there are all that a character needs
  std::optional<std::int32_t> token;  ///< none: the letter vanishes
  enum class Neighbours { separate, fused } neighbours = Neighbours::separate;
};

/// Whether a word that is a token as a whole skips the merges.
enum class WholeWords { merged, taken_first };

struct PairMerge {
  std::int32_t left;
  std::int32_t right;
  std::int32_t merged;
};

struct PairModel {
  Vocabulary vocabulary;
  std::vector<PairMerge>
      merges;  ///< by rank; a later one for the same pair replaces an earlier one
  UnknownLetters unknown;
  WholeWords whole_words = WholeWords::merged;
};

class BytePairEncoding {
 public:
  BytePairEncoding(const PairModel& model, Letters letters);

  /// Appends the ids of `word` (plain UTF-8). Time grows as n log n.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  struct Ranked {
    std::int32_t rank;
    std::int32_t merged;
  };
  struct Symbol;
  struct Candidate;
  class Merging;

  std::optional<std::int32_t> token_of_letter(std::string_view letter) const;
  std::vector<std::int32_t> letters_of(std::string_view word) const;
  static std::vector<Symbol> symbols_of(const std::vector<std::int32_t>& tokens);
  const Ranked* find_merge(std::int32_t left, std::int32_t right) const;

  Letters letters_;
  std::array<std::optional<std::int32_t>, 256> of_byte_;
  std::unordered_map<char32_t, std::int32_t> of_character_;
  std::unordered_map<std::uint64_t, Ranked> merges_;
  Vocabulary words_;  ///< tokens by their plain bytes; empty unless whole words are taken first
  UnknownLetters unknown_;
};

}  // namespace rankine::text
