// Pair encoding equals its definition: merge the pair of lowest rank, the leftmost first, until
// none is left.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "text/byte_pair_encoding.hpp"
#include "text/byte_symbols.hpp"

namespace rankine::text {
namespace {

using Ids = std::vector<std::int32_t>;

/// Quadratic, straight from the definition.
Ids merge_plainly(Ids ids, const std::vector<PairMerge>& merges) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::pair<std::size_t, std::int32_t>> ranked;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    ranked[{merges[rank].left, merges[rank].right}] = {rank, merges[rank].merged};
  }
  while (true) {
    std::size_t best_rank = merges.size();
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = ranked.find({ids[i], ids[i + 1]});
      if (found != ranked.end() && found->second.first < best_rank) {
        best_rank = found->second.first;
        best = i;
      }
    }
    if (best_rank == merges.size()) return ids;
    ids[best] = merges[best_rank].merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

/// Letters a to d, and random pairs of tokens merged to new ones.
struct RandomModel {
  Vocabulary vocabulary = {{"a", 0}, {"b", 1}, {"c", 2}, {"d", 3}};
  std::vector<PairMerge> merges;

  explicit RandomModel(std::mt19937& generator) {
    std::vector<std::string> tokens = {"a", "b", "c", "d"};
    while (merges.size() < 30) {
      const auto left = generator() % tokens.size();
      const auto right = generator() % tokens.size();
      const std::string token = tokens[left] + tokens[right];
      const auto id = static_cast<std::int32_t>(tokens.size());
      if (token.size() > 9 || !vocabulary.emplace(token, id).second) continue;
      tokens.push_back(token);
      merges.push_back({static_cast<std::int32_t>(left), static_cast<std::int32_t>(right), id});
    }
    std::ranges::shuffle(merges, generator);
  }
};

Ids encoded(const BytePairEncoding& encoding, std::string_view word) {
  Ids ids;
  encoding.encode(word, ids);
  return ids;
}

TEST(BytePairEncoding, EqualsItsDefinition) {
  std::mt19937 generator(5);
  for (int model_number = 0; model_number < 40; ++model_number) {
    const RandomModel model(generator);
    const BytePairEncoding encoding({model.vocabulary, model.merges, {}, WholeWords::merged},
                                    Letters::bytes);
    for (int word_number = 0; word_number < 20; ++word_number) {
      std::string word;
      Ids letters;
      for (unsigned length = generator() % 60; word.size() < length;) {
        letters.push_back(static_cast<std::int32_t>(generator() % 4));
        word += static_cast<char>('a' + letters.back());
      }
      ASSERT_EQ(encoded(encoding, word), merge_plainly(letters, model.merges)) << word;
    }
  }
}

TEST(BytePairEncoding, UnknownBytesVanishAndTheirNeighboursMeet) {
  const Vocabulary vocabulary = {{"a", 0}, {"b", 1}, {"ab", 2}, {"?", 3}};
  const std::vector<PairMerge> merges = {{0, 1, 2}};
  const auto with_token = [&](std::optional<std::int32_t> token, bool fuses) {
    UnknownLetters unknown;
    unknown.token = token;
    if (fuses) unknown.neighbours = UnknownLetters::Neighbours::fused;
    return BytePairEncoding({vocabulary, merges, unknown, WholeWords::merged}, Letters::bytes);
  };
  EXPECT_EQ(encoded(with_token(std::nullopt, false), "axyb"), (Ids{2}));
  EXPECT_EQ(encoded(with_token(std::nullopt, false), "xy"), Ids{});
  EXPECT_EQ(encoded(with_token(3, false), "axybz"), (Ids{0, 3, 3, 1, 3}));
  EXPECT_EQ(encoded(with_token(3, true), "axybz"), (Ids{0, 3, 1, 3}));
}

TEST(BytePairEncoding, CharactersBecomeTheirBytesIfAllOfThemAreTokens) {
  const Vocabulary vocabulary = {{"\u00e9", 0}, {"?", 1},      {"<0xC3>", 2},
                                 {"<0xA8>", 3}, {"<0xAB>", 4}, {"\u00e9?", 5}};
  UnknownLetters unknown;
  unknown.bytes = ByteTokens(vocabulary);
  const std::vector<PairMerge> merges = {{0, 1, 5}};
  const BytePairEncoding encoding({vocabulary, merges, unknown, WholeWords::merged},
                                  Letters::characters);
  EXPECT_EQ(encoded(encoding, "\u00e9\u00e8?\u00e9?"), (Ids{0, 2, 3, 1, 5}));
  EXPECT_EQ(encoded(encoding, "\u00e8x\u00ea\u00eb"), (Ids{2, 3, 2, 4}));
}

TEST(BytePairEncoding, WholeWordsMayComeFirst) {
  const PairModel model = {
      {{"a", 0}, {"b", 1}, {"ab", 2}, {"aba", 3}}, {{0, 1, 2}}, {}, WholeWords::taken_first};
  PairModel merged = model;
  merged.whole_words = WholeWords::merged;
  for (const Letters letters : {Letters::bytes, Letters::characters}) {
    EXPECT_EQ(encoded({merged, letters}, "aba"), (Ids{2, 0}));
    EXPECT_EQ(encoded({model, letters}, "aba"), (Ids{3}));
  }
}

TEST(ByteSymbols, AreThoseOfGpt2) {
  EXPECT_EQ(symbol_of('A'), "A");
  EXPECT_EQ(symbol_of(' '), "\u0120");
  EXPECT_EQ(symbol_of('\n'), "\u010a");
  EXPECT_EQ(symbol_of(0xad), "\u0143");
  EXPECT_EQ(symbol_of(0xff), "\u00ff");
  std::string all_symbols;
  std::string all_bytes;
  for (unsigned byte = 0; byte < 256; ++byte) {
    all_symbols += symbol_of(static_cast<unsigned char>(byte));
    all_bytes += static_cast<char>(byte);
  }
  EXPECT_EQ(bytes_of_symbols(all_symbols), all_bytes);
  EXPECT_EQ(bytes_of_symbols("a b"), std::nullopt);
  EXPECT_EQ(bytes_of_symbols("\u0144"), std::nullopt);
}

}  // namespace
}  // namespace rankine::text
