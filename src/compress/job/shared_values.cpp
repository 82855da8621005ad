#include "compress/job/shared_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "compress/job/vocabulary.hpp"
#include "core/errors.hpp"

namespace rankine::compress {

namespace {

std::int64_t number_bytes(const CompressOptions& options) {
  if (options.method.storage != weights::Storage::exact) return 2;
  return static_cast<std::int64_t>(models::bytes_of(options.scoring.model.precision));
}

/// Of all selected weights, where each has 2^`code_bits` values.
double bits_per_weight(const CompressionJob& job, int code_bits) {
  double bytes = 0;
  for (const NamedShape& weight : job.selected)
    bytes += static_cast<double>(most_bytes(job.options, weight, code_bits));
  return 8 * bytes / static_cast<double>(job.selected_parameters());
}

}  // namespace

std::vector<weights::RowRange> codebook_pieces(const NamedShape& weight,
                                               const MethodOptions& method) {
  std::vector<weights::RowRange> pieces;
  const std::int64_t at_once = rows_at_once(weight, method);
  for (std::int64_t first = 0; first < weight.shape.rows; first += at_once)
    pieces.push_back({first, std::min(at_once, weight.shape.rows - first)});
  return pieces;
}

weights::CodebookOptions codebook_options(const MethodOptions& method, const MatrixShape& shape,
                                          const weights::RowRange& rows, std::int64_t clusters) {
  const auto outliers_up_to = [&](std::int64_t row) {
    return method.outliers_of(shape.dense_numbers()) * row / shape.rows;
  };
  return {.clusters = clusters,
          .rows_per_book =
              weights::even_book_rows(shape.rows, method.rows_per_book(shape.rows).value()),
          .outliers = outliers_up_to(rows.end()) - outliers_up_to(rows.first),
          .outlier_choice = method.outlier_choice,
          .rounds = method.rounds,
          .start = method.start};
}

int most_code_bits(const MethodOptions& method) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(method.clusters))) - 1;
}

/// Gaps between the outliers of several pieces may be long.
std::int64_t most_bytes(const CompressOptions& options, const NamedShape& weight, int code_bits) {
  const std::vector<weights::RowRange> pieces = codebook_pieces(weight, options.method);
  std::int64_t bytes = 0;
  for (const weights::RowRange& rows : pieces)
    bytes += weights::most_stored_bytes(
        {rows.count, weight.shape.columns},
        codebook_options(options.method, weight.shape, rows, std::int64_t{1} << code_bits),
        number_bytes(options));
  const std::int64_t entries = weight.shape.dense_numbers();
  const std::int64_t outliers = options.method.outliers_of(entries);
  if (pieces.size() > 1 && outliers > 0)
    bytes += 2 * (outliers + entries / weights::longest_short_gap);
  return bytes;
}

std::int64_t byte_budget(const CompressionJob& job) {
  return static_cast<std::int64_t>(std::floor(job.options.ranks.bits_per_weight / 8 *
                                              static_cast<double>(job.selected_parameters())));
}

void require_reachable_bits(const CompressionJob& job) {
  const int most = most_code_bits(job.options.method);
  const double least_bits = bits_per_weight(job, 1), most_bits = bits_per_weight(job, most);
  const double wanted = job.options.ranks.bits_per_weight;
  if (wanted >= least_bits && wanted <= most_bits) return;
  throw InputError(fmt::format(
      "ranks.bits_per_weight = {} cannot be reached (with their codebooks and outliers the "
      "selected "
      "weights take {:.4f} bits with 2 values each, {:.4f} with {}, the most that method.clusters "
      "allows). Choose a number from the one to the other, or other codebooks.",
      wanted, least_bits, most_bits, std::int64_t{1} << most));
}

}  // namespace rankine::compress
