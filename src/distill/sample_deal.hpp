// Which samples a slice is trained on, which are held out, and which of them each rank of a team
// has: the same samples in the same batches for any number of ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weights/rows/row_exchange.hpp"
#include "weights/rows/row_split.hpp"

namespace rankine::distill {

/// How the ranks of a team share samples.
enum class Sharing {
  dealt,  ///< each has a part of every batch
  same,   ///< all have all, as each has rows of the weights
};

class SampleDeal {
 public:
  /// `held_out`: part of the samples, at least one of them, and not all. Throws InputError for less
  /// than two samples.
  SampleDeal(std::int64_t samples, double held_out, std::int64_t batch_size, std::uint64_t seed);

  std::int64_t held_out() const { return held_out_; }
  std::int64_t trained() const { return batches_.total(); }
  /// Steps of an epoch.
  int batches() const { return batches_.n_ranks(); }
  std::int64_t batch_size(int batch) const { return batches_.count(batch); }

  /// The samples of a rank of so many in its order: those held out, then batch by batch.
  std::vector<std::int64_t> samples_of(Sharing sharing, int rank, int ranks) const;
  /// Where they are in that order.
  weights::RowRange held_out_of(Sharing sharing, int rank, int ranks) const;
  weights::RowRange batch_of(int batch, Sharing sharing, int rank, int ranks) const;

  /// The batches of an epoch of a slice, in the order in which they are taken.
  std::vector<int> order(std::uint64_t slice, std::int64_t epoch) const;

 private:
  /// The part of samples [first, first + count) of the drawn order that a rank has.
  static weights::RowRange part_of(weights::RowRange all, Sharing sharing, int rank, int ranks);

  std::uint64_t seed_;
  std::int64_t held_out_ = 0;
  std::vector<std::int64_t> drawn_;  ///< held out, then trained on
  weights::RowSplit batches_;
};

}  // namespace rankine::distill
