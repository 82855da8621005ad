#include "weights/making/value_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/contracts.hpp"

namespace rankine::weights {

namespace {

constexpr int all_fraction_bits = 23;

/// Order-preserving integers for floats; both zeros are one.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value == 0 ? 0.0F : value);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
float value_of(std::uint32_t key) {
  return std::bit_cast<float>(key & 0x80000000u ? key & 0x7fffffffu : ~key);
}

struct Count {
  std::uint32_t key;
  std::uint32_t unused = 0;  // the bytes between, which travel too
  std::int64_t weight;
};

/// Ascending keys, by two counting sorts of 16 bits: the entries of a matrix are many, and no
/// comparison sort is as fast. Those of a row are few.
void sort(std::vector<Count>& counts) {
  if (std::ranges::is_sorted(counts, {}, &Count::key)) return;  // as coarser keys are
  constexpr std::size_t few = 16'384;
  if (counts.size() < few) {
    std::ranges::sort(counts, {}, &Count::key);
    return;
  }
  std::vector<Count> sorted(counts.size());
  for (const int shift : {0, 16}) {
    std::vector<std::size_t> places((1 << 16) + 1, 0);
    const auto digit = [shift](const Count& count) { return (count.key >> shift) & 0xffffu; };
    for (const Count& count : counts) ++places[digit(count) + 1];
    std::partial_sum(places.begin(), places.end(), places.begin());
    for (const Count& count : counts) sorted[places[digit(count)]++] = count;
    counts.swap(sorted);
  }
}

/// Sorts and joins equal keys.
void merge(std::vector<Count>& counts) {
  sort(counts);
  std::size_t kept = 0;
  for (const Count& count : counts) {
    if (kept > 0 && counts[kept - 1].key == count.key)
      counts[kept - 1].weight += count.weight;
    else
      counts[kept++] = count;
  }
  counts.resize(kept);
}

std::uint32_t coarse_key(std::uint32_t key, int fraction_bits) {
  const std::uint32_t mask = ~((std::uint32_t{1} << (all_fraction_bits - fraction_bits)) - 1);
  return key_of(std::bit_cast<float>(std::bit_cast<std::uint32_t>(value_of(key)) & mask));
}

/// Drops the lowest fraction bits that are kept; what becomes equal is joined. Dropping one bit
/// after the other gives the same as dropping them together, on any part of the entries.
void coarsen(std::vector<Count>& counts, int fraction_bits) {
  for (Count& count : counts) count.key = coarse_key(count.key, fraction_bits);
  merge(counts);
}

int coarsen_below(std::vector<Count>& counts, int fraction_bits, std::int64_t most_distinct) {
  while (std::ssize(counts) > most_distinct && fraction_bits > 0) coarsen(counts, --fraction_bits);
  return fraction_bits;
}

float largest_of(std::span<const float> sensitivities) {
  return sensitivities.empty() ? 0 : std::max(0.0F, std::ranges::max(sensitivities));
}

/// `largest`: of the sensitivities of all entries, wherever they are.
std::vector<Count> count_entries(std::span<const float> entries,
                                 std::span<const float> sensitivities, float largest) {
  std::vector<Count> counts;
  counts.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::int64_t weight = 1;
    if (largest > 0)
      weight = std::max<std::int64_t>(
          1, std::llround(static_cast<double>(sensitivities[i]) / largest * 0x1p32));
    counts.push_back({key_of(entries[i]), 0, weight});
  }
  merge(counts);
  return counts;
}

/// The middle of a bin, away from zero; the value itself when nothing was dropped.
double middle_of_bin(std::uint32_t key, int fraction_bits) {
  if (fraction_bits == all_fraction_bits) return value_of(key);
  const std::uint32_t half = std::uint32_t{1} << (all_fraction_bits - fraction_bits - 1);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value_of(key)) | half);
}

void add_values(const std::vector<Count>& counts, ValueHistogram& histogram) {
  for (const Count& count : counts)
    histogram.values.push_back(
        {middle_of_bin(count.key, histogram.fraction_bits), static_cast<double>(count.weight)});
}

}  // namespace

double ValueHistogram::counted_value(float entry) const {
  return middle_of_bin(coarse_key(key_of(entry), fraction_bits), fraction_bits);
}

ValueHistogram value_histogram(const parallel::Communicator& ranks, std::span<const float> entries,
                               std::span<const float> sensitivities, std::int64_t most_distinct) {
  RANKINE_EXPECTS(sensitivities.empty() || sensitivities.size() == entries.size(),
                  "a sensitivity for each entry, or none");
  // All ranks join in, whether they have entries or not.
  const float largest = ranks.max(largest_of(sensitivities));
  std::vector<Count> counts = count_entries(entries, sensitivities, largest);
  // What is too much for one rank is too much for all together.
  ValueHistogram histogram;
  histogram.fraction_bits = ranks.min(coarsen_below(counts, all_fraction_bits, most_distinct));
  coarsen(counts, histogram.fraction_bits);
  counts = ranks.all_gather(std::span<const Count>(counts));
  merge(counts);
  histogram.fraction_bits = coarsen_below(counts, histogram.fraction_bits, most_distinct);
  add_values(counts, histogram);
  return histogram;
}

ValueHistogram value_histogram(std::span<const float> entries, std::span<const float> sensitivities,
                               std::int64_t most_distinct) {
  RANKINE_EXPECTS(sensitivities.empty() || sensitivities.size() == entries.size(),
                  "a sensitivity for each entry, or none");
  std::vector<Count> counts = count_entries(entries, sensitivities, largest_of(sensitivities));
  ValueHistogram histogram;
  histogram.fraction_bits = coarsen_below(counts, all_fraction_bits, most_distinct);
  add_values(counts, histogram);
  return histogram;
}

}  // namespace rankine::weights
