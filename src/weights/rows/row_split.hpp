// Which rows of a matrix each rank of a team owns.
#pragma once

#include <cstdint>
#include <vector>

namespace rankine::weights {

/// Contiguous blocks of rows in rank order; a rank may own none.
class RowSplit {
 public:
  /// As even as whole units of `unit` rows allow (a head of an attention layer, say); the first
  /// ranks get the larger shares. `rows` is a multiple of `unit`.
  static RowSplit even(std::int64_t rows, int n_ranks, std::int64_t unit = 1);

  /// Given counts, one per rank.
  static RowSplit of(const std::vector<std::int64_t>& counts);

  int n_ranks() const { return static_cast<int>(counts_.size()); }
  std::int64_t total() const { return total_; }
  std::int64_t first(int rank) const { return firsts_[static_cast<std::size_t>(rank)]; }
  std::int64_t count(int rank) const { return counts_[static_cast<std::size_t>(rank)]; }
  /// The counts of all ranks.
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  std::int64_t total_ = 0;
  std::vector<std::int64_t> firsts_;
  std::vector<std::int64_t> counts_;
};

}  // namespace rankine::weights
