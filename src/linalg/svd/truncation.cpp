#include "linalg/svd/truncation.hpp"

namespace rankine::linalg {

template <class R>
Cut choose_cut(std::span<const R> s, const Truncation& truncation, double unseen_weight) {
  if (s.empty()) return {};
  // Summed from the smallest up, so that a tail of rounding size is still seen exactly.
  double total = unseen_weight;
  for (auto it = s.rbegin(); it != s.rend(); ++it) total += double(*it) * double(*it);
  const double allowed = truncation.discarded_weight_max * total;
  const double smallest = truncation.relative_threshold * double(s.front());
  double discarded = unseen_weight;
  auto rank = static_cast<std::int64_t>(s.size());
  while (rank > 1) {
    const double value = s[static_cast<std::size_t>(rank - 1)];
    const double next = discarded + value * value;
    if (rank <= truncation.max_rank && next > allowed && value > smallest) break;
    // Without a criterion a value of zero stays: the caller asked for all of them.
    if (truncation.keeps_all(rank)) break;
    discarded = next;
    --rank;
  }
  return {rank, total > 0 ? discarded / total : 0};
}

template Cut choose_cut<float>(std::span<const float>, const Truncation&, double);
template Cut choose_cut<double>(std::span<const double>, const Truncation&, double);

}  // namespace rankine::linalg
