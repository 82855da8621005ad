// What a tokenizer.json asks for is done or refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/errors.hpp"
#include "files/json_document.hpp"
#include "text/tokenizer.hpp"

namespace rankine::text {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class TokenizerFile : public testing::Test {
 protected:
  ~TokenizerFile() override { std::filesystem::remove(file_); }

  /// A byte-level tokenizer of the letters a, b and their pair.
  static json small() {
    return json::parse(R"({
      "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
      "added_tokens": [{"id": 3, "content": "<end>", "single_word": false, "lstrip": false,
                        "rstrip": false, "normalized": false, "special": true}],
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
      "post_processor": null, "decoder": {"type": "ByteLevel"},
      "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})");
  }

  Tokenizer read(const json& document) {
    std::ofstream(file_) << document;
    return Tokenizer::read(file_);
  }

  /// The message about the small tokenizer with one value replaced.
  std::string refusal(const char* place, const json& value) {
    json document = small();
    document[json::json_pointer(place)] = value;
    return refusal(document);
  }
  std::string refusal(const json& document) {
    try {
      read(document);
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "nothing was refused";
  }

  const std::filesystem::path file_ = std::filesystem::path(testing::TempDir()) /
                                      ("rankine_tokenizer_" + std::to_string(getpid()) + ".json");
};

TEST_F(TokenizerFile, OfTheSmallestKindWorks) {
  const Tokenizer tokenizer = read(small());
  EXPECT_EQ(tokenizer.encode("abba<end>cab", AddSpecialTokens::no),
            (std::vector<std::int32_t>{2, 1, 0, 3, 2}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 4);
}

TEST_F(TokenizerFile, SpecialTokensCanBeLeftOutOfTheText) {
  json document = small();
  document["added_tokens"].push_back({{"id", 4},
                                      {"content", "<word>"},
                                      {"single_word", false},
                                      {"lstrip", false},
                                      {"rstrip", false},
                                      {"normalized", false},
                                      {"special", false}});
  const Tokenizer tokenizer = read(document);
  const std::vector<std::int32_t> ids{2, 3, 4, 1, 3};
  EXPECT_EQ(tokenizer.decode(ids), "ab<end><word>b<end>");
  EXPECT_EQ(tokenizer.decode(ids, SpecialTokens::left_out), "ab<word>b");
}

TEST_F(TokenizerFile, DeepNestingIsRefused) {
  json processor = nullptr;
  for (int depth = 0; depth < 20000; ++depth)
    processor = {{"type", "Sequence"}, {"processors", json::array({std::move(processor)})}};
  json document = small();
  document["post_processor"] = std::move(processor);
  EXPECT_THAT(refusal(document), HasSubstr("lie within more than 100 others"));
}

TEST_F(TokenizerFile, OtherModelsAreRefused) {
  EXPECT_THAT(refusal("/model/type", "Unigram"), HasSubstr("Unigram with ByteLevel is not"));
  EXPECT_THAT(refusal("/model/type", "WordPiece"), HasSubstr("model: WordPiece is not supported"));
  EXPECT_THAT(refusal("/model/type", nullptr), HasSubstr("a model without type is not supported"));
}

TEST_F(TokenizerFile, FeaturesThatWouldChangeIdsAreRefused) {
  EXPECT_THAT(refusal("/model/dropout", 0.1), HasSubstr("dropout is not supported"));
  EXPECT_THAT(refusal("/model/byte_fallback", true), HasSubstr("byte_fallback with ByteLevel"));
  EXPECT_THAT(refusal("/model/continuing_subword_prefix", "##"),
              HasSubstr("continuing_subword_prefix is not supported"));
  EXPECT_THAT(refusal("/model/end_of_word_suffix", "</w>"),
              HasSubstr("end_of_word_suffix is not supported"));
  for (const char* normalizer : {"Nmt", "Precompiled", "BertNormalizer"})
    EXPECT_THAT(refusal("/normalizer", {{"type", normalizer}}),
                HasSubstr("normalizer: " + std::string(normalizer) + " is not supported"));
}

TEST_F(TokenizerFile, TruncationAndPaddingAreIgnored) {
  json document = small();
  document["truncation"] = {{"max_length", 1}};
  document["padding"] = {{"pad_id", 0}};
  const Tokenizer tokenizer = read(document);
  EXPECT_EQ(tokenizer.encode("abab", AddSpecialTokens::yes), (std::vector<std::int32_t>{2, 2}));
  EXPECT_THAT(tokenizer.ignored_sections(), testing::ElementsAre("truncation", "padding"));
}

TEST_F(TokenizerFile, FeaturesThatAreSwitchedOffAreNot) {
  json document = small();
  document["model"]["dropout"] = 0.0;
  document["model"]["byte_fallback"] = false;
  document["model"]["continuing_subword_prefix"] = "";
  document["model"]["end_of_word_suffix"] = "";
  EXPECT_EQ(read(document).vocabulary_size(), 4);
}

TEST_F(TokenizerFile, OtherPreTokenizersAreRefused) {
  const json byte_level = small()["pre_tokenizer"];
  const json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const auto sequence = [](const json& steps) {
    return json{{"type", "Sequence"}, {"pretokenizers", steps}};
  };
  EXPECT_THAT(refusal("/pre_tokenizer", {{"type", "Whitespace"}}), HasSubstr("Whitespace is not"));
  const json metaspace = {{"type", "Metaspace"}, {"replacement", ""}};
  EXPECT_THAT(refusal("/pre_tokenizer", metaspace), HasSubstr("an empty replacement is not"));
  EXPECT_THAT(refusal("/pre_tokenizer", sequence({byte_level, digits})),
              HasSubstr("pre_tokenizer.pretokenizers[1]: Digits behind ByteLevel"));
  const auto split = [&](const json& pattern, const char* behaviour) {
    const json step = {{"type", "Split"}, {"pattern", pattern}, {"behavior", behaviour}};
    return refusal("/pre_tokenizer", sequence({step, byte_level}));
  };
  EXPECT_THAT(split({{"String", "-"}}, "Replaced"), HasSubstr("Replaced is not"));
  EXPECT_THAT(split({{"String", ""}}, "Isolated"), HasSubstr("an empty pattern is not"));
  EXPECT_THAT(split({{"Regex", "\\w+"}}, "Isolated"),
              HasSubstr("'\\w' at byte 0 is not supported"));
}

TEST_F(TokenizerFile, OtherSurroundingsAreRefused) {
  EXPECT_THAT(refusal("/post_processor", {{"type", "RobertaProcessing"}}),
              HasSubstr("post_processor: RobertaProcessing is not supported"));
  EXPECT_THAT(refusal("/decoder", {{"type", "WordPiece"}}),
              HasSubstr("decoder: WordPiece is not supported"));
  const json strip = {{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}};
  EXPECT_THAT(refusal("/decoder", strip), HasSubstr("'content' is not one character"));
  const json twice = json::parse(R"({"type": "TemplateProcessing", "special_tokens": {}, "single":
      [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]})");
  EXPECT_THAT(refusal("/post_processor", twice), HasSubstr("holds the text 2 times"));
}

TEST_F(TokenizerFile, WrongContentIsRefused) {
  EXPECT_THAT(refusal("/model/merges", {"a c"}),
              HasSubstr("model: 'merges' need the token 'c', which 'vocab' lacks"));
  EXPECT_THAT(refusal("/model/merges", {"b a"}), HasSubstr("need the token 'ba'"));
  EXPECT_THAT(refusal("/model/merges", {"a b b"}), HasSubstr("is not a pair of tokens"));
  EXPECT_THAT(refusal("/model/vocab/b", 0), HasSubstr("two tokens have the id 0"));
  EXPECT_THAT(refusal("/model/vocab/b", -1), HasSubstr("-1 is not an id"));
  EXPECT_THAT(refusal("/model/vocab", nullptr), HasSubstr("model: 'vocab' is missing"));
  EXPECT_THAT(refusal("/model/unk_token", "<unk>"), HasSubstr("lacks the token of 'unk_token'"));
  EXPECT_THAT(refusal("/added_tokens/0/id", 9),
              HasSubstr("the id 9 of '<end>', which should be 3, is not supported"));
  EXPECT_THAT(refusal("/added_tokens/0/content", ""), HasSubstr("a token without content"));
  json document = small();
  document["added_tokens"].push_back(document["added_tokens"][0]);
  EXPECT_THAT(refusal(document), HasSubstr("added_tokens[1]: '<end>' is there twice"));
}

TEST_F(TokenizerFile, WrongProbabilitiesAreRefused) {
  const auto model = [](const json& vocabulary, const json& unknown) {
    return json{{"type", "Unigram"}, {"vocab", vocabulary}, {"unk_id", unknown}};
  };
  const auto refused = [&](const json& vocabulary, const json& unknown) {
    json document = small();
    document["pre_tokenizer"] = nullptr;
    document["model"] = model(vocabulary, unknown);
    return refusal(document);
  };
  const json letter = json::parse(R"([["a", -1.0]])");
  EXPECT_THAT(refused(letter, nullptr), HasSubstr("a model without 'unk_id'"));
  EXPECT_THAT(refused(letter, 1), HasSubstr("'vocab' has no token 1, the 'unk_id'"));
  EXPECT_THAT(refused({letter[0], "b"}, 0), HasSubstr("is not a text with its score"));
  EXPECT_THAT(refused(json::array(), 0), HasSubstr("'vocab' has no token 0"));
}

TEST_F(TokenizerFile, AMissingFileIsRefused) {
  EXPECT_THROW(Tokenizer::read(file_.string() + ".absent"), InputError);
}

}  // namespace
}  // namespace rankine::text
