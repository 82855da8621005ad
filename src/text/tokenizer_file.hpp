// What a tokenizer.json says, checked for features that are not supported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/byte_pair_encoding.hpp"
#include "text/pre_tokenizer.hpp"

namespace rankine::text {

struct PairModel {
  Vocabulary vocabulary;
  std::vector<PairMerge> merges;
  UnknownBytes unknown;
  WholeWords whole_words = WholeWords::merged;
};

/// Ids that the post-processor puts around a single text.
struct Template {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> after;
};

struct TokenizerFile {
  PairModel model;
  std::vector<AddedToken> added;
  PreTokenizer pre_tokenizer;
  Template around;
};

/// Throws InputError, naming the file and the feature.
TokenizerFile read_tokenizer_file(const std::filesystem::path& path);

}  // namespace rankine::text
