#include "weights/making/outlier_choice.hpp"

#include <algorithm>
#include <span>
#include <tuple>

#include "core/contracts.hpp"
#include "weights/storage/outliers.hpp"

namespace rankine::weights {

namespace {

/// An entry joins the outliers where the next one is too far.
void shorten_gaps(std::vector<std::int64_t>& places) {
  std::ranges::sort(places);
  std::vector<std::int64_t> added;
  std::int64_t before = 0;
  for (const std::int64_t place : places) {
    for (; place - before > longest_short_gap; added.push_back(before)) before += longest_short_gap;
    before = place;
  }
  places.insert(places.end(), added.begin(), added.end());
}

}  // namespace

std::int64_t most_added_outliers(std::int64_t entries, std::int64_t outliers) {
  const std::int64_t added = entries / longest_short_gap;
  return 3 * added <= outliers ? added : 0;
}

std::vector<std::int64_t> outlier_places(std::vector<ScoredEntry> entries, std::int64_t wanted) {
  RANKINE_EXPECTS(wanted < std::ssize(entries), "entries to cluster");
  std::ranges::nth_element(entries, entries.begin() + wanted,
                           [](const ScoredEntry& a, const ScoredEntry& b) {
                             return std::tie(b.score, a.place) < std::tie(a.score, b.place);
                           });
  std::vector<std::int64_t> places;
  for (const ScoredEntry& entry : std::span(entries).first(static_cast<std::size_t>(wanted)))
    places.push_back(entry.place);
  if (most_added_outliers(std::ssize(entries), wanted) > 0) shorten_gaps(places);
  return places;
}

}  // namespace rankine::weights
