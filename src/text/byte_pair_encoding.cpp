#include "text/byte_pair_encoding.hpp"

#include <queue>
#include <utility>

#include "text/byte_symbols.hpp"
#include "text/utf8.hpp"

namespace rankine::text {

namespace {

constexpr std::int32_t none = -1;

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

/// A token of the word, linked to its neighbours; merged into its left neighbour once it is gone.
struct BytePairEncoding::Symbol {
  std::int32_t token;
  std::int32_t previous;
  std::int32_t next;
  bool is_gone = false;
};

/// Linked in their order.
std::vector<BytePairEncoding::Symbol> BytePairEncoding::symbols_of(
    const std::vector<std::int32_t>& tokens) {
  std::vector<Symbol> symbols;
  symbols.reserve(tokens.size());
  for (const std::int32_t token : tokens) {
    const auto position = static_cast<std::int32_t>(symbols.size());
    symbols.push_back({token, position - 1, position + 1});
  }
  if (!symbols.empty()) symbols.back().next = none;
  return symbols;
}

/// A merge of the symbol at `position` with its right neighbour.
struct BytePairEncoding::Candidate {
  std::int32_t rank;
  std::int32_t position;
  std::int32_t merged;

  /// The lowest rank first, then the leftmost.
  bool operator<(const Candidate& other) const {
    return std::pair(rank, position) > std::pair(other.rank, other.position);
  }
};

/// Merges the symbols of one word until no merge applies.
class BytePairEncoding::Merging {
 public:
  Merging(const BytePairEncoding& encoding, std::vector<Symbol>& symbols)
      : encoding_(encoding), symbols_(symbols) {
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) propose(static_cast<std::int32_t>(i));
  }

  void run() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      if (still_applies(best)) merge(best);
    }
  }

 private:
  Symbol& at(std::int32_t position) { return symbols_[static_cast<std::size_t>(position)]; }

  void propose(std::int32_t position) {
    const Symbol& left = at(position);
    if (left.next == none) return;
    if (const Ranked* found = encoding_.find_merge(left.token, at(left.next).token)) {
      candidates_.push({found->rank, position, found->merged});
    }
  }

  /// Neighbours may have changed since the candidate was proposed.
  bool still_applies(const Candidate& candidate) {
    const Symbol& left = at(candidate.position);
    if (left.is_gone || left.next == none) return false;
    const Ranked* found = encoding_.find_merge(left.token, at(left.next).token);
    return found != nullptr && found->merged == candidate.merged;
  }

  void merge(const Candidate& candidate) {
    Symbol& left = at(candidate.position);
    Symbol& right = at(left.next);
    left.token = candidate.merged;
    left.next = right.next;
    right.is_gone = true;
    if (left.next != none) at(left.next).previous = candidate.position;
    if (left.previous != none) propose(left.previous);
    propose(candidate.position);
  }

  const BytePairEncoding& encoding_;
  std::vector<Symbol>& symbols_;
  std::priority_queue<Candidate> candidates_;
};

BytePairEncoding::BytePairEncoding(const PairModel& model, Letters letters)
    : letters_(letters), unknown_(model.unknown) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto found = model.vocabulary.find(symbol_of(static_cast<unsigned char>(byte)));
    if (found != model.vocabulary.end()) of_byte_[byte] = found->second;
  }
  const bool takes_words = model.whole_words == WholeWords::taken_first;
  for (const auto& [token, id] : model.vocabulary) {
    if (letters == Letters::characters) {
      if (token.empty()) continue;
      const CodePoint first = first_code_point(token);
      if (first.value && first.bytes == token.size()) of_character_.emplace(*first.value, id);
      if (takes_words) words_.emplace(token, id);
    } else if (takes_words) {
      if (const auto bytes = bytes_of_symbols(token)) words_.emplace(*bytes, id);
    }
  }
  merges_.reserve(model.merges.size());
  std::int32_t rank = 0;
  for (const PairMerge& merge : model.merges) {
    merges_[key_of(merge.left, merge.right)] = {rank++, merge.merged};
  }
}

const BytePairEncoding::Ranked* BytePairEncoding::find_merge(std::int32_t left,
                                                             std::int32_t right) const {
  const auto found = merges_.find(key_of(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::optional<std::int32_t> BytePairEncoding::token_of_letter(std::string_view letter) const {
  if (letters_ == Letters::bytes) return of_byte_[static_cast<unsigned char>(letter.front())];
  const auto found = of_character_.find(*first_code_point(letter).value);
  if (found == of_character_.end()) return std::nullopt;
  return found->second;
}

/// Neighbours that are unknown fuse also where tokens of bytes lie between them, which then come
/// first, as in the package `tokenizers`.
std::vector<std::int32_t> BytePairEncoding::letters_of(std::string_view word) const {
  std::vector<std::int32_t> tokens;
  tokens.reserve(word.size());
  const bool fuses = unknown_.neighbours == UnknownLetters::Neighbours::fused;
  bool unknown_waits = false;
  const auto end_unknown = [&] {
    if (unknown_waits) tokens.push_back(*unknown_.token);
    unknown_waits = false;
  };
  while (!word.empty()) {
    const std::size_t bytes = letters_ == Letters::bytes ? 1 : first_code_point(word).bytes;
    const std::string_view letter = word.substr(0, bytes);
    word.remove_prefix(bytes);
    if (const auto known = token_of_letter(letter)) {
      end_unknown();
      tokens.push_back(*known);
    } else if (!unknown_.bytes.append(letter, tokens) && unknown_.token) {
      if (!fuses) end_unknown();
      unknown_waits = true;
    }
  }
  end_unknown();
  return tokens;
}

void BytePairEncoding::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (const auto whole = words_.find(word); whole != words_.end()) {
    ids.push_back(whole->second);
    return;
  }
  std::vector<Symbol> symbols = symbols_of(letters_of(word));
  Merging(*this, symbols).run();
  for (const Symbol& symbol : symbols) {
    if (!symbol.is_gone) ids.push_back(symbol.token);
  }
}

}  // namespace rankine::text
