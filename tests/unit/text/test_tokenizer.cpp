// Ids equal those of the Python package `tokenizers`, for small tokenizers and unusual texts
// (tests/data/tokenizers/README.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "core/errors.hpp"
#include "files/json_document.hpp"
#include "text/tokenizer.hpp"

namespace rankine::text {
namespace {

using Ids = std::vector<std::int32_t>;
using testing::HasSubstr;

const std::filesystem::path data = std::filesystem::path(RANKINE_TEST_DATA) / "tokenizers";

class Fixture : public testing::TestWithParam<const char*> {
 protected:
  static const nlohmann::json& document() {
    static const nlohmann::json all = files::read_json(data / "expected.json");
    return all;
  }
  static std::vector<std::string> texts() { return document()["texts"]; }
  const nlohmann::json& expected() const { return document()["expected"][GetParam()]; }

  const Tokenizer tokenizer_ = Tokenizer::read(data / (std::string(GetParam()) + ".json"));
};

TEST_P(Fixture, EncodesAsThePythonPackageDoes) {
  const auto& rows = expected()["ids"];
  ASSERT_GE(rows.size(), 48u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(tokenizer_.encode(texts()[i], AddSpecialTokens::yes), rows[i].get<Ids>())
        << i << ": " << texts()[i];
    if (!expected().contains("ids_without_special")) continue;
    EXPECT_EQ(tokenizer_.encode(texts()[i], AddSpecialTokens::no),
              expected()["ids_without_special"][i].get<Ids>())
        << i << ": " << texts()[i];
  }
}

TEST_P(Fixture, DecodesAsThePythonPackageDoes) {
  const auto& rows = expected()["ids"];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(tokenizer_.decode(rows[i].get<Ids>()), expected()["decoded"][i].get<std::string>())
        << i << ": " << texts()[i];
  }
}

TEST_P(Fixture, EveryIdIsBelowTheSizeOfTheVocabulary) {
  std::int32_t largest = 0;
  for (const auto& ids : expected()["ids"]) {
    for (const std::int32_t id : ids.get<Ids>()) largest = std::max(largest, id);
  }
  EXPECT_LT(largest, tokenizer_.vocabulary_size());
  EXPECT_EQ(tokenizer_.decode(Ids{static_cast<std::int32_t>(tokenizer_.vocabulary_size())}), "");
}

INSTANTIATE_TEST_SUITE_P(Of, Fixture,
                         testing::Values("gpt2", "llama3", "digits", "unknown", "qwen2", "o200k",
                                         "deepseek", "gemma", "llama2", "phi3", "unigram",
                                         "unigram_bytes", "words"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(Tokenizer, TellsWhetherItPutsATokenFirst) {
  const auto llama3 = Tokenizer::read(data / "llama3.json");
  EXPECT_TRUE(llama3.adds_beginning());
  EXPECT_EQ(llama3.encode("", AddSpecialTokens::yes), Ids{llama3.id_of("<|begin|>").value()});
  EXPECT_FALSE(Tokenizer::read(data / "gpt2.json").adds_beginning());
  EXPECT_FALSE(Tokenizer::read(data / "unknown.json").adds_beginning());
}

TEST(Tokenizer, TellsWhichSectionsItIgnores) {
  EXPECT_THAT(Tokenizer::read(data / "qwen2.json").ignored_sections(),
              testing::ElementsAre("truncation", "padding"));
  EXPECT_THAT(Tokenizer::read(data / "gpt2.json").ignored_sections(), testing::IsEmpty());
}

TEST(Tokenizer, FindsIdsOfTokens) {
  const auto gpt2 = Tokenizer::read(data / "gpt2.json");
  EXPECT_EQ(gpt2.encode("<|endoftext|>", AddSpecialTokens::no),
            Ids{gpt2.id_of("<|endoftext|>").value()});
  EXPECT_EQ(gpt2.id_of("no token of these"), std::nullopt);
}

TEST(Tokenizer, DecodesBrokenCharactersAsReplacements) {
  const auto gpt2 = Tokenizer::read(data / "gpt2.json");
  Ids ids;
  for (const char* symbol : {"\u012a", "\u00e2", "\u0124", "a"}) {  // bytes 88, e2, 82, 61
    ids.push_back(gpt2.id_of(symbol).value());
  }
  EXPECT_EQ(gpt2.decode(ids), "\ufffd\ufffda");
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  const auto gpt2 = Tokenizer::read(data / "gpt2.json");
  for (const std::string broken : {"ab\xff", "ab\xc0\x80", "ab\xed\xa0\x80", "ab\xe2\x82"}) {
    try {
      gpt2.encode(broken, AddSpecialTokens::no);
      ADD_FAILURE() << "nothing was refused";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("byte 2 is not UTF-8"));
    }
  }
}

TEST(Tokenizer, LongWordsTakeNoTimeThatGrowsWithTheirSquare) {
  std::string word;
  for (int i = 0; i < 500'000; ++i) word += static_cast<char>('a' + i * i % 26);
  for (const char* kind : {"gpt2", "llama2", "unigram_bytes"}) {
    const auto tokenizer = Tokenizer::read(data / (std::string(kind) + ".json"));
    const auto start = std::chrono::steady_clock::now();
    const Ids ids = tokenizer.encode(word, AddSpecialTokens::no);
    // A square of this length takes minutes; n log n well below a second.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
    EXPECT_GT(ids.size(), word.size() / 10);
    EXPECT_LE(ids.size(), word.size());
  }
}

}  // namespace
}  // namespace rankine::text
