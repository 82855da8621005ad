#include "weights/making/clustering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/errors.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/optimal_clusters.hpp"
#include "weights/making/value_histogram.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

void check_options(const parallel::Communicator& team, std::int64_t entries,
                   const ClusterOptions& options) {
  if (options.clusters >= 1 && options.outliers >= 0 && options.outliers < entries) return;
  throw known_to_all(
      team.size(),
      InputError(fmt::format(
          "Cannot cluster a weight of {} entries into {} values with {} outliers (there must be at "
          "least one value, and fewer outliers than entries). Ask for other numbers.",
          entries, options.clusters, options.outliers)));
}

/// Collective.
void check_numbers(const parallel::Communicator& team, const Tensor& entries,
                   const Tensor& sensitivities) {
  parallel::agree_on_failure(team, [&] {
    if (entries.isfinite().all().item<bool>() && sensitivities.isfinite().all().item<bool>() &&
        sensitivities.ge(0).all().item<bool>())
      return;
    throw NumericalError(
        "a weight to be clustered has an entry that is not finite in float32, or a sensitivity "
        "that is not finite or negative (no mean can be taken of it). Look at the model and its "
        "calibration.");
  });
}

/// 1 where this rank's entry is no outlier.
Tensor members(const Outliers& outliers, std::int64_t first, const Tensor& own) {
  const Tensor mask = torch::ones_like(own, torch::kBool);
  const Tensor local = outliers.rows - first;
  const Tensor mine = local.ge(0).logical_and(local.lt(own.size(0))).nonzero().flatten();
  mask.index_put_({local.index_select(0, mine), outliers.columns.index_select(0, mine)},
                  torch::zeros({}, torch::kBool));
  return mask;
}

std::span<const float> span_of(const Tensor& values) {
  return {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())};
}

/// The cluster of each entry. Clusters are intervals, so the last value of each decides.
Tensor codes_of(const Tensor& own, const ValueHistogram& histogram, const Clusters& clusters) {
  std::vector<double> last;
  for (const std::int64_t end : clusters.ends)
    last.push_back(histogram.values[static_cast<std::size_t>(end - 1)].value);
  const Tensor codes = torch::empty(own.sizes(), torch::kInt64);
  std::int64_t* to = codes.data_ptr<std::int64_t>();
  for (const float entry : span_of(own)) {
    const auto place = std::ranges::lower_bound(last, histogram.counted_value(entry));
    *to++ = std::min<std::int64_t>(place - last.begin(), std::ssize(last) - 1);
  }
  return codes;
}

}  // namespace

std::unique_ptr<Clustered> make_clustered(const parallel::Communicator& team, const RowSplit& split,
                                          const Tensor& own_rows, const ClusterOptions& options,
                                          torch::ScalarType type) {
  check_options(team, split.total() * own_rows.size(1), options);
  const torch::NoGradGuard no_gradients;
  Outliers outliers = largest_entries(team, split, own_rows, options.outliers);
  const Tensor own = own_rows.to(torch::kFloat32).contiguous();
  const Tensor inside = members(outliers, split.first(team.rank()), own);
  const Tensor entries = own.masked_select(inside);
  const Tensor sensitivities = options.sensitivity
                                   ? options.sensitivity->to(torch::kFloat32).masked_select(inside)
                                   : torch::empty({0}, torch::kFloat32);
  check_numbers(team, entries, sensitivities);
  const ValueHistogram histogram = value_histogram(team, span_of(entries), span_of(sensitivities));
  const Clusters clusters = optimal_clusters(histogram.values, options.clusters);
  outliers.values = outliers.values.to(type);
  return std::make_unique<Clustered>(team, split,
                                     torch::tensor(clusters.centroids, torch::kFloat64).to(type),
                                     codes_of(own, histogram, clusters), std::move(outliers));
}

}  // namespace rankine::weights
