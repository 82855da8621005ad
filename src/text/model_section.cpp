// Reads "model" and "added_tokens" of a tokenizer.json: which tokens there are, and their merges.
#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "text/byte_symbols.hpp"
#include "text/tokenizer_sections.hpp"

namespace rankine::text {

namespace {

using nlohmann::json;

Vocabulary read_vocabulary(const files::JsonSection& section) {
  Vocabulary vocabulary;
  std::unordered_set<std::int32_t> ids;
  vocabulary.reserve(section.object().size());
  ids.reserve(section.object().size());
  for (const auto& [token, id] : section.object().items()) {
    if (!ids.insert(section.id_of(id)).second) {
      section.refuse_wrong(fmt::format("two tokens have the id {}", id.get<std::int32_t>()));
    }
    vocabulary.emplace(token, id.get<std::int32_t>());
  }
  return vocabulary;
}

/// Written as "left right" or as ["left", "right"].
std::pair<std::string, std::string> read_pair(const json& merge, const files::JsonSection& model) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  if (merge.is_string()) {
    const auto text = merge.get<std::string>();
    const auto space = text.find(' ');
    if (std::ranges::count(text, ' ') == 1) return {text.substr(0, space), text.substr(space + 1)};
  }
  model.refuse_wrong(
      fmt::format("{} in 'merges' is not a pair of tokens", files::JsonSection::shown(merge)));
}

std::vector<PairMerge> read_merges(const files::JsonSection& model, const Vocabulary& vocabulary) {
  const auto id_of = [&](const std::string& token) {
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) {
      model.refuse_wrong(fmt::format("'merges' need the token '{}', which 'vocab' lacks", token));
    }
    return found->second;
  };
  std::vector<PairMerge> merges;
  merges.reserve(model.array("merges").size());
  for (const json& merge : model.array("merges")) {
    const auto [left, right] = read_pair(merge, model);
    merges.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return merges;
}

bool knows_all_bytes(const Vocabulary& vocabulary) {
  for (unsigned byte = 0; byte < 256; ++byte)
    if (!vocabulary.contains(symbol_of(static_cast<unsigned char>(byte)))) return false;
  return true;
}

UnknownLetters read_unknown(const files::JsonSection& model, const Vocabulary& vocabulary,
                            Letters letters) {
  UnknownLetters unknown;
  if (letters == Letters::bytes && knows_all_bytes(vocabulary)) return unknown;
  if (model.flag("byte_fallback", false)) {
    if (letters == Letters::bytes)
      model.refuse_unsupported("byte_fallback with ByteLevel, where symbols of bytes are missing,");
    unknown.bytes = ByteTokens(vocabulary);
  }
  if (!model.has("unk_token")) return unknown;
  const auto found = vocabulary.find(model.text("unk_token"));
  if (found == vocabulary.end()) model.refuse_wrong("'vocab' lacks the token of 'unk_token'");
  unknown.token = found->second;
  if (model.flag("fuse_unk", false)) unknown.neighbours = UnknownLetters::Neighbours::fused;
  return unknown;
}

/// Features that change ids and that tokenizers of language models do not use.
void refuse_features(const files::JsonSection& model) {
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.has(affix) && !model.text(affix).empty()) model.refuse_unsupported(affix);
  }
  if (model.has("dropout") && model.object()["dropout"] != 0) model.refuse_unsupported("dropout");
}

Strip strip(const files::JsonSection& token, const char* side) {
  return token.flag(side) ? Strip::white_space : Strip::nothing;
}

}  // namespace

PairModel read_pair_model(const files::JsonSection& model, Letters letters) {
  refuse_features(model);
  PairModel result;
  result.vocabulary = read_vocabulary(model.section("vocab"));
  result.merges = read_merges(model, result.vocabulary);
  result.unknown = read_unknown(model, result.vocabulary, letters);
  if (model.flag("ignore_merges", false)) result.whole_words = WholeWords::taken_first;
  return result;
}

UnigramModel read_unigram_model(const files::JsonSection& model) {
  UnigramModel result;
  for (const json& entry : model.array("vocab")) {
    const bool is_pair = entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
                         entry[1].is_number() && !entry[0].get_ref<const std::string&>().empty();
    if (!is_pair) {
      model.refuse_wrong(fmt::format("{} in 'vocab' is not a text with its score",
                                     files::JsonSection::shown(entry)));
    }
    const auto id = static_cast<std::int32_t>(result.tokens.size());
    result.tokens.push_back({entry[0].get<std::string>(), entry[1].get<double>()});
    result.vocabulary.insert_or_assign(result.tokens.back().text, id);
  }
  if (!model.has("unk_id")) model.refuse_unsupported("a model without 'unk_id'");
  result.unknown = model.id("unk_id");
  if (static_cast<std::size_t>(result.unknown) >= result.tokens.size())
    model.refuse_wrong(fmt::format("'vocab' has no token {}, the 'unk_id'", result.unknown));
  if (model.flag("byte_fallback", false)) result.bytes = ByteTokens(result.vocabulary);
  return result;
}

std::vector<AddedToken> read_added_tokens(const files::JsonSection& document,
                                          const Vocabulary& vocabulary) {
  std::vector<AddedToken> tokens;
  if (!document.has("added_tokens")) return tokens;
  std::unordered_set<std::string> contents;
  auto next_id = static_cast<std::int32_t>(vocabulary.size());
  for (const files::JsonSection& entry : document.sections("added_tokens")) {
    AddedToken token{.content = entry.text("content"),
                     .id = entry.id("id"),
                     .left = strip(entry, "lstrip"),
                     .right = strip(entry, "rstrip"),
                     .pass = entry.flag("normalized") ? Pass::second : Pass::first,
                     .is_word = entry.flag("single_word"),
                     .is_special = entry.flag("special", false)};
    if (token.content.empty()) entry.refuse_unsupported("a token without content");
    if (!contents.insert(token.content).second) {
      entry.refuse_wrong(fmt::format("'{}' is there twice", token.content));
    }
    const auto found = vocabulary.find(token.content);
    const std::int32_t expected = found != vocabulary.end() ? found->second : next_id++;
    if (token.id != expected) {
      entry.refuse_unsupported(
          fmt::format("the id {} of '{}', which should be {},", token.id, token.content, expected));
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace rankine::text
