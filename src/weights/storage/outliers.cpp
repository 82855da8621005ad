#include "weights/storage/outliers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace rankine::weights {

using torch::Tensor;

namespace {

struct Entry {
  double value;
  std::int64_t place;  ///< row * columns + column in the whole matrix
};

/// A total order, so that the choice does not depend on the number of ranks.
bool is_larger(const Entry& a, const Entry& b) {
  const double left = std::abs(a.value), right = std::abs(b.value);
  return left != right ? left > right : a.place < b.place;
}

void keep_largest(std::vector<Entry>& entries, std::int64_t count) {
  const auto kept = std::min(count, static_cast<std::int64_t>(entries.size()));
  std::partial_sort(entries.begin(), entries.begin() + kept, entries.end(), is_larger);
  entries.resize(static_cast<std::size_t>(kept));
}

}  // namespace

Outliers largest_entries(const parallel::Communicator& team, const RowSplit& split,
                         const Tensor& own_rows, std::int64_t count) {
  const std::int64_t columns = own_rows.size(1);
  std::vector<Entry> entries;
  if (count > 0) {
    const Tensor own = own_rows.to(torch::kFloat64).contiguous();
    const double* values = own.data_ptr<double>();
    const std::int64_t first = split.first(team.rank()) * columns;
    entries.reserve(static_cast<std::size_t>(own.numel()));
    for (std::int64_t i = 0; i < own.numel(); ++i) entries.push_back({values[i], first + i});
    keep_largest(entries, count);
    entries = team.all_gather(std::span<const Entry>(entries));
    keep_largest(entries, count);
    std::ranges::sort(entries, {}, &Entry::place);
  }
  std::vector<std::int64_t> rows, at;
  std::vector<double> kept;
  for (const Entry& entry : entries) {
    rows.push_back(entry.place / columns);
    at.push_back(entry.place % columns);
    kept.push_back(entry.value);
  }
  return {torch::tensor(rows, torch::kInt64), torch::tensor(at, torch::kInt64),
          torch::tensor(kept, torch::kFloat64)};
}

}  // namespace rankine::weights
