#include "weights/rows/row_split.hpp"

#include "core/contracts.hpp"

namespace rankine::weights {

RowSplit RowSplit::even(std::int64_t rows, int n_ranks, std::int64_t unit) {
  RANKINE_EXPECTS(n_ranks > 0 && unit > 0 && rows % unit == 0, "whole units over some ranks");
  RowSplit split;
  const std::int64_t units = rows / unit;
  for (int rank = 0; rank < n_ranks; ++rank) {
    const std::int64_t share = units / n_ranks + (rank < units % n_ranks ? 1 : 0);
    split.firsts_.push_back(split.total_);
    split.counts_.push_back(share * unit);
    split.total_ += share * unit;
  }
  return split;
}

RowSplit RowSplit::of(const std::vector<std::int64_t>& counts) {
  RowSplit split;
  split.counts_ = counts;
  for (const std::int64_t count : counts) {
    split.firsts_.push_back(split.total_);
    split.total_ += count;
  }
  return split;
}

}  // namespace rankine::weights
