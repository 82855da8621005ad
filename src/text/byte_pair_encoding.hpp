// Byte-level pair encoding of one word: bytes become symbols, pairs of symbols merge by rank.
//
// Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units" (2016),
// on bytes as in Radford et al., "Language models are unsupervised multitask learners" (2019).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rankine::text {

/// Lets std::unordered_map look up std::string keys by std::string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};

using Vocabulary = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

/// What to do with a byte whose symbol the vocabulary lacks.
struct UnknownBytes {
  std::optional<std::int32_t> token;  ///< none: the byte vanishes
  enum class Neighbours { separate, fused } neighbours = Neighbours::separate;
};

/// Whether a word that is a token as a whole skips the merges.
enum class WholeWords { merged, taken_first };

struct PairMerge {
  std::int32_t left;
  std::int32_t right;
  std::int32_t merged;
};

class BytePairEncoding {
 public:
  /// `vocabulary`: tokens in byte symbols; `merges` in the order of their ranks, of which a later
  /// one for the same pair replaces an earlier one.
  BytePairEncoding(const Vocabulary& vocabulary, const std::vector<PairMerge>& merges,
                   UnknownBytes unknown, WholeWords whole_words);

  /// Appends the ids of `word` (plain bytes). Time grows as n log n.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  struct Ranked {
    std::int32_t rank;
    std::int32_t merged;
  };
  struct Symbol;
  struct Candidate;
  class Merging;

  std::vector<Symbol> symbols_of(std::string_view word) const;
  const Ranked* find_merge(std::int32_t left, std::int32_t right) const;

  std::array<std::optional<std::int32_t>, 256> byte_tokens_;
  std::unordered_map<std::uint64_t, Ranked> merges_;
  Vocabulary words_;  ///< tokens by their plain bytes; empty unless whole words are taken first
  UnknownBytes unknown_;
};

}  // namespace rankine::text
