#include "text/unigram.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace rankine::text {

namespace {

constexpr std::int32_t no_token = -1;
constexpr double penalty = 10;  // of what is unknown

std::uint64_t step_of(std::uint32_t prefix, char byte) {
  return std::uint64_t{prefix} << 8 | static_cast<unsigned char>(byte);
}

}  // namespace

Unigram::Unigram(const UnigramModel& model) : model_(model), token_of_{no_token} {
  unknown_score_ = std::ranges::min(model.tokens, {}, &UnigramModel::Token::score).score - penalty;
  for (std::size_t id = 0; id < model.tokens.size(); ++id) {
    std::uint32_t prefix = 0;
    for (const char byte : model.tokens[id].text) {
      const auto longer = static_cast<std::uint32_t>(token_of_.size());
      const auto [found, is_new] = next_.try_emplace(step_of(prefix, byte), longer);
      if (is_new) token_of_.push_back(no_token);
      prefix = found->second;
    }
    if (prefix != 0) token_of_[prefix] = static_cast<std::int32_t>(id);
  }
}

/// For each end of a prefix of `word`: the last token of its best sequence.
std::vector<Unigram::Node> Unigram::best_ends(std::string_view word) const {
  std::vector<Node> ends(word.size() + 1);
  const auto reach = [&](std::size_t begin, std::size_t end, std::int32_t token, double score) {
    const double sum = ends[begin].score + score;
    if (!ends[end].is_reached || sum > ends[end].score) ends[end] = {token, sum, begin, true};
  };
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t character = begin + first_code_point(word.substr(begin)).bytes;
    bool is_known = false;
    std::uint32_t prefix = 0;
    for (std::size_t end = begin; end < word.size();) {
      const auto found = next_.find(step_of(prefix, word[end++]));
      if (found == next_.end()) break;
      prefix = found->second;
      const std::int32_t token = token_of_[prefix];
      if (token == no_token) continue;
      reach(begin, end, token, model_.tokens[static_cast<std::size_t>(token)].score);
      is_known |= end == character;
    }
    if (!is_known) reach(begin, character, model_.unknown, unknown_score_);
    begin = character;
  }
  return ends;
}

void Unigram::append_text(std::string_view text, std::vector<std::int32_t>& ids) const {
  if (const auto found = model_.vocabulary.find(text); found != model_.vocabulary.end()) {
    ids.push_back(found->second);
  } else if (!model_.bytes.append(text, ids)) {
    ids.push_back(model_.unknown);
  }
}

void Unigram::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  const std::vector<Node> ends = best_ends(word);
  std::vector<std::string_view> texts;  // from the last to the first
  bool after_unknown = false;
  for (std::size_t end = word.size(); end > 0; end = ends[end].begin) {
    const Node& node = ends[end];
    const bool is_unknown = node.token == model_.unknown;
    if (!is_unknown || !after_unknown) texts.push_back(word.substr(end, 0));
    const std::size_t bytes = end - node.begin + texts.back().size();
    texts.back() = word.substr(node.begin, bytes);
    after_unknown = is_unknown;
  }
  for (std::size_t i = texts.size(); i > 0; --i) append_text(texts[i - 1], ids);
}

}  // namespace rankine::text
