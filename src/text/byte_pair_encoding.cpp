#include "text/byte_pair_encoding.hpp"

#include <queue>
#include <utility>

#include "text/byte_symbols.hpp"

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

BytePairEncoding::BytePairEncoding(const Vocabulary& vocabulary,
                                   const std::vector<PairMerge>& merges, UnknownBytes unknown,
                                   WholeWords whole_words)
    : unknown_(unknown) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto found = vocabulary.find(symbol_of(static_cast<unsigned char>(byte)));
    if (found != vocabulary.end()) byte_tokens_[byte] = found->second;
  }
  merges_.reserve(merges.size());
  std::int32_t rank = 0;
  for (const PairMerge& merge : merges) {
    merges_[key_of(merge.left, merge.right)] = {rank++, merge.merged};
  }
  if (whole_words == WholeWords::merged) return;
  for (const auto& [token, id] : vocabulary) {
    if (const auto bytes = bytes_of_symbols(token)) words_.emplace(*bytes, id);
  }
}

const BytePairEncoding::Ranked* BytePairEncoding::find_merge(std::int32_t left,
                                                             std::int32_t right) const {
  const auto found = merges_.find(key_of(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<BytePairEncoding::Symbol> BytePairEncoding::symbols_of(std::string_view word) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  bool after_unknown = false;
  for (const char byte : word) {
    const auto& known = byte_tokens_[static_cast<unsigned char>(byte)];
    const auto& token = known ? known : unknown_.token;
    const bool fuses = unknown_.neighbours == UnknownBytes::Neighbours::fused;
    if (token && (known || !after_unknown || !fuses)) {
      const auto position = static_cast<std::int32_t>(symbols.size());
      symbols.push_back({*token, position - 1, position + 1});
    }
    after_unknown = !known;
  }
  if (!symbols.empty()) symbols.back().next = none;
  return symbols;
}

void BytePairEncoding::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (const auto whole = words_.find(word); whole != words_.end()) {
    ids.push_back(whole->second);
    return;
  }
  std::vector<Symbol> symbols = symbols_of(word);
  Merging(*this, symbols).run();
  for (const Symbol& symbol : symbols) {
    if (!symbol.is_gone) ids.push_back(symbol.token);
  }
}

}  // namespace rankine::text
