#include "distill/sample_deal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/random_stream.hpp"
#include "core/text_format.hpp"

namespace rankine::distill {

using weights::RowRange;
using weights::RowSplit;

namespace {

/// Tells these streams from others of the same seed.
constexpr std::uint64_t of_samples = 0xd151111, of_batches = 0xd151112;

std::int64_t count_held_out(std::int64_t samples, double part) {
  const auto wanted = std::llround(part * static_cast<double>(samples));
  return std::clamp<std::int64_t>(wanted, 1, samples - 1);
}

}  // namespace

SampleDeal::SampleDeal(std::int64_t samples, double held_out, std::int64_t batch_size,
                       std::uint64_t seed)
    : seed_(seed), batches_(RowSplit::even(0, 1)) {
  RANKINE_EXPECTS(batch_size > 0, "batches hold samples");
  if (samples < 2)
    throw InputError(fmt::format(
        "slices would be trained on {} (one is to be trained on and one to be held out). Give more "
        "training images or calibration.windows.",
        counted(samples, "sample")));
  held_out_ = count_held_out(samples, held_out);
  drawn_.resize(static_cast<std::size_t>(samples));
  std::iota(drawn_.begin(), drawn_.end(), std::int64_t{0});
  RandomStream random{seed, of_samples};
  random.shuffle(std::span(drawn_));
  const std::int64_t trained = std::ssize(drawn_) - held_out_;
  batches_ = RowSplit::even(trained, static_cast<int>((trained + batch_size - 1) / batch_size));
}

RowRange SampleDeal::part_of(RowRange all, Sharing sharing, int rank, int ranks) {
  if (sharing == Sharing::same) return all;
  const RowSplit split = RowSplit::even(all.count, ranks);
  return {all.first + split.first(rank), split.count(rank)};
}

std::vector<std::int64_t> SampleDeal::samples_of(Sharing sharing, int rank, int ranks) const {
  std::vector<std::int64_t> own;
  const auto add = [&](RowRange all) {
    const RowRange part = part_of(all, sharing, rank, ranks);
    own.insert(own.end(), drawn_.begin() + part.first, drawn_.begin() + part.end());
  };
  add({0, held_out_});
  for (int batch = 0; batch < batches(); ++batch)
    add({held_out_ + batches_.first(batch), batches_.count(batch)});
  return own;
}

RowRange SampleDeal::held_out_of(Sharing sharing, int rank, int ranks) const {
  return {0, part_of({0, held_out_}, sharing, rank, ranks).count};
}

RowRange SampleDeal::batch_of(int batch, Sharing sharing, int rank, int ranks) const {
  RowRange place = held_out_of(sharing, rank, ranks);
  for (int b = 0; b <= batch; ++b)
    place = {place.end(), part_of({0, batches_.count(b)}, sharing, rank, ranks).count};
  return place;
}

std::vector<int> SampleDeal::order(std::uint64_t slice, std::int64_t epoch) const {
  std::vector<int> order(static_cast<std::size_t>(batches()));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random{seed_, of_batches, slice, static_cast<std::uint64_t>(epoch)};
  random.shuffle(std::span(order));
  return order;
}

}  // namespace rankine::distill
