#include "compress/job/shared_values.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

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
    bytes += static_cast<double>(most_bytes(job.options, weight.shape, code_bits));
  return 8 * bytes / static_cast<double>(job.selected_parameters());
}

}  // namespace

weights::CodebookOptions codebook_options(const MethodOptions& method, const MatrixShape& shape,
                                          std::int64_t clusters) {
  return {.clusters = clusters,
          .rows_per_book = method.rows_per_book(shape.rows).value(),
          .outliers = method.outliers_of(shape.dense_numbers()),
          .outlier_choice = method.outlier_choice,
          .rounds = method.rounds,
          .start = method.start};
}

int most_code_bits(const MethodOptions& method) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(method.clusters))) - 1;
}

std::int64_t most_bytes(const CompressOptions& options, const MatrixShape& shape, int code_bits) {
  return weights::most_stored_bytes(
      shape, codebook_options(options.method, shape, std::int64_t{1} << code_bits),
      number_bytes(options));
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
