#include "text/tokenizer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "text/byte_symbols.hpp"
#include "text/tokenizer_file.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

struct Tokenizer::Parts {
  AddedTokens added;
  PreTokenizer pre_tokenizer;
  BytePairEncoding encoding;
  Template around;
  Vocabulary ids;  ///< of all tokens, added ones included
  std::unordered_map<std::int32_t, std::string> tokens;
  std::unordered_set<std::int32_t> special;
  std::int64_t vocabulary_size = 0;

  explicit Parts(TokenizerFile file)
      : added(file.added),
        pre_tokenizer(std::move(file.pre_tokenizer)),
        encoding(file.model.vocabulary, file.model.merges, file.model.unknown,
                 file.model.whole_words),
        around(std::move(file.around)),
        ids(std::move(file.model.vocabulary)) {
    for (const AddedToken& token : file.added) {
      ids.emplace(token.content, token.id);
      if (token.is_special) special.insert(token.id);
    }
    for (const auto& [token, id] : ids) {
      tokens.emplace(id, token);
      vocabulary_size = std::max<std::int64_t>(vocabulary_size, std::int64_t{id} + 1);
    }
  }
};

namespace {

/// Encodes the words of one text; a word that comes again gets the ids of the first time.
class WordEncoder {
 public:
  WordEncoder(const BytePairEncoding& encoding, std::vector<std::int32_t>& ids)
      : encoding_(encoding), ids_(ids) {}

  /// `word` outlives this object.
  void append(std::string_view word) {
    const auto [known, is_new] = earlier_.try_emplace(word, Range{ids_.size(), ids_.size()});
    if (is_new) {
      encoding_.encode(word, ids_);
      known->second.end = ids_.size();
      return;
    }
    // By index: the array may move as it grows.
    for (std::size_t i = known->second.begin; i < known->second.end; ++i) ids_.push_back(ids_[i]);
  }

 private:
  struct Range {
    std::size_t begin;
    std::size_t end;
  };

  const BytePairEncoding& encoding_;
  std::vector<std::int32_t>& ids_;
  std::unordered_map<std::string_view, Range> earlier_;
};

void check_utf8(std::string_view text) {
  if (const auto invalid = find_invalid_utf8(text)) {
    throw InputError(
        fmt::format("Cannot tokenise a text of {} (byte {} is not UTF-8). "
                    "Convert the text to UTF-8.",
                    counted(std::ssize(text), "byte"), *invalid));
  }
}

}  // namespace

Tokenizer Tokenizer::read(const std::filesystem::path& tokenizer_json) {
  return Tokenizer(std::make_shared<const Parts>(read_tokenizer_file(tokenizer_json)));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view utf8_text,
                                            AddSpecialTokens special) const {
  check_utf8(utf8_text);
  const bool with_template = special == AddSpecialTokens::yes;
  std::vector<std::int32_t> ids;
  if (with_template) ids = parts_->around.before;
  std::deque<std::string> owned;
  WordEncoder words(parts_->encoding, ids);
  parts_->added.split(
      utf8_text,
      [&](std::string_view part) {
        for (const std::string_view word : parts_->pre_tokenizer.split(part, owned)) {
          words.append(word);
        }
      },
      [&](std::int32_t id) { ids.push_back(id); });
  if (with_template) std::ranges::copy(parts_->around.after, std::back_inserter(ids));
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, SpecialTokens special) const {
  std::string bytes;
  for (const std::int32_t id : ids) {
    if (special == SpecialTokens::left_out && parts_->special.contains(id)) continue;
    const auto token = parts_->tokens.find(id);
    if (token == parts_->tokens.end()) continue;
    // An added token may hold characters that stand for no byte.
    bytes += bytes_of_symbols(token->second).value_or(token->second);
  }
  return replace_invalid_utf8(bytes);
}

std::int64_t Tokenizer::vocabulary_size() const { return parts_->vocabulary_size; }

std::optional<std::int32_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = parts_->ids.find(token);
  if (found == parts_->ids.end()) return std::nullopt;
  return found->second;
}

bool Tokenizer::adds_beginning() const { return !parts_->around.before.empty(); }

}  // namespace rankine::text
