// What a tokenizer.json says, checked for features that are not supported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/byte_pair_encoding.hpp"
#include "text/decoder.hpp"
#include "text/normalizer.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/unigram.hpp"

namespace rankine::text {

/// What is cut into words, and what these are made of.
struct WordsSection {
  PreTokenizer pre_tokenizer;
  Letters letters = Letters::characters;
};

/// Ids that the post-processor puts around a single text.
struct Template {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> after;
};

struct TokenizerFile {
  Normalizer normalizer;
  WordsSection words;
  std::variant<PairModel, UnigramModel> model;
  std::vector<AddedToken> added;
  Template around;
  Decoder decoder;
  std::vector<std::string> ignored;  ///< sections that say something and change nothing here
};

/// Throws InputError, naming the file and the feature.
TokenizerFile read_tokenizer_file(const std::filesystem::path& path);

}  // namespace rankine::text
