#include "text/tokenizer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "text/tokenizer_file.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

namespace {

using Model = std::variant<BytePairEncoding, Unigram>;

Model make_model(const TokenizerFile& file) {
  if (const auto* pairs = std::get_if<PairModel>(&file.model))
    return BytePairEncoding(*pairs, file.words.letters);
  return Unigram(std::get<UnigramModel>(file.model));
}

}  // namespace

struct Tokenizer::Parts {
  Normalizer normalizer;
  AddedTokens added;
  PreTokenizer pre_tokenizer;
  Model model;
  Template around;
  Decoder decoder;
  Vocabulary ids;  ///< of all tokens, added ones included
  std::unordered_map<std::int32_t, std::string> tokens;
  std::unordered_set<std::int32_t> special;
  std::int64_t vocabulary_size = 0;
  std::vector<std::string> ignored;

  explicit Parts(TokenizerFile file)
      : normalizer(std::move(file.normalizer)),
        added(file.added, normalizer),
        pre_tokenizer(std::move(file.words.pre_tokenizer)),
        model(make_model(file)),
        around(std::move(file.around)),
        decoder(std::move(file.decoder)),
        ignored(std::move(file.ignored)) {
    std::visit([this](auto& read) { ids = std::move(read.vocabulary); }, file.model);
    for (const AddedToken& token : file.added) {
      ids.emplace(token.content, token.id);
      if (token.is_special) special.insert(token.id);
    }
    for (const auto& [token, id] : ids) {
      tokens.emplace(id, token);
      vocabulary_size = std::max<std::int64_t>(vocabulary_size, std::int64_t{id} + 1);
    }
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
};

namespace {

/// Encodes the words of one text; a word that comes again gets the ids of the first time.
class WordEncoder {
 public:
  WordEncoder(const Model& model, std::vector<std::int32_t>& ids) : model_(model), ids_(ids) {}

  /// `word` outlives this object.
  void append(std::string_view word) {
    const auto [known, is_new] = earlier_.try_emplace(word, Range{ids_.size(), ids_.size()});
    if (is_new) {
      std::visit([&](const auto& model) { model.encode(word, ids_); }, model_);
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

  const Model& model_;
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
  Tokenizer tokenizer(std::make_shared<const Parts>(read_tokenizer_file(tokenizer_json)));
  for (const std::string& section : tokenizer.ignored_sections())
    log().info("'{}': '{}' is ignored, texts are taken whole", tokenizer_json.string(), section);
  return tokenizer;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view utf8_text,
                                            AddSpecialTokens special) const {
  check_utf8(utf8_text);
  const bool with_template = special == AddSpecialTokens::yes;
  std::vector<std::int32_t> ids;
  if (with_template) ids = parts_->around.before;
  std::deque<std::string> owned;
  WordEncoder words(parts_->model, ids);
  parts_->added.split(
      utf8_text, owned,
      [&](const Stretch& stretch) {
        for (const std::string_view word : parts_->pre_tokenizer.split(stretch, owned)) {
          words.append(word);
        }
      },
      [&](std::int32_t id) { ids.push_back(id); });
  if (with_template) std::ranges::copy(parts_->around.after, std::back_inserter(ids));
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, SpecialTokens special) const {
  std::vector<std::string> texts;
  for (const std::int32_t id : ids) {
    if (special == SpecialTokens::left_out && parts_->special.contains(id)) continue;
    const auto token = parts_->tokens.find(id);
    if (token != parts_->tokens.end()) texts.push_back(token->second);
  }
  return parts_->decoder(std::move(texts));
}

const std::vector<std::string>& Tokenizer::ignored_sections() const { return parts_->ignored; }

std::int64_t Tokenizer::vocabulary_size() const { return parts_->vocabulary_size; }

std::optional<std::int32_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = parts_->ids.find(token);
  if (found == parts_->ids.end()) return std::nullopt;
  return found->second;
}

bool Tokenizer::adds_beginning() const { return !parts_->around.before.empty(); }

}  // namespace rankine::text
