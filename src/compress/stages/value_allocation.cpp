#include "compress/stages/value_allocation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "compress/allocation/allocation.hpp"
#include "compress/job/shared_values.hpp"
#include "compress/job/stages.hpp"
#include "compress/stages/dealt_codebooks.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"

namespace rankine::compress {

namespace {

struct ErrorNotes {
  /// Of each weight with 2, 4, 8, ... values, squared.
  std::vector<std::vector<double>> errors;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ErrorNotes, errors)

using Errors = std::vector<std::vector<double>>;

/// Squared errors of codebooks with 2, 4, 8, ... values after one short round: rounds halve those
/// of K-means, of some matrices much more than of others, and a sweep has most of that. More values
/// are never worse, for they may do what fewer do. Not collective.
std::vector<double> errors_of(const DealtWeight& weight, const MethodOptions& method,
                              const MatrixShape& shape) {
  const weights::RowNorm norm = row_norm(weight);
  std::vector<double> errors;
  for (int bits = 1; bits <= most_code_bits(method); ++bits) {
    weights::CodebookOptions how =
        codebook_options(method, shape, weight.rows, std::int64_t{1} << bits);
    how.rounds = how.sweeps = 1;
    const std::vector<double> steps = make_codebooks(weight, norm, how).errors;
    const double error = steps.empty() ? 0 : steps.back();
    errors.push_back(errors.empty() ? error : std::min(error, errors.back()));
  }
  return errors;
}

/// Sums over the pieces of each weight. Collective over the world.
Errors measure_errors(const Workbench& bench, const ErrorNorm& norm) {
  const MethodOptions& method = bench.options.method;
  const NormedWeights all = all_weights(bench, norm);
  const auto most = static_cast<std::size_t>(most_code_bits(method));
  Errors errors(all.weights.size(), std::vector<double>(most));
  std::vector<double> found(most);
  for_each_dealt_piece(
      bench, all, pieces_of(bench, all, all_places(all)), "errors of codebooks",
      [&](const DealtWeight& weight) {
        found = errors_of(weight, method, bench.job.selected[weight.place].shape);
      },
      [&](const RowsOfWeight& piece, int root) {
        std::vector<double> of_piece = found;
        bench.world.broadcast(std::span(of_piece), root);
        std::ranges::transform(errors[piece.place], of_piece, errors[piece.place].begin(),
                               std::plus<>());
      });
  return errors;
}

std::optional<Errors> restore_errors(const Workbench& bench, const run::Stage& stage) {
  return bench.stages.restore<ErrorNotes>(stage, [&](const ErrorNotes& notes) {
    const auto most = static_cast<std::size_t>(most_code_bits(bench.options.method));
    const auto is_whole = [&](const std::vector<double>& of_weight) {
      return of_weight.size() == most && std::ranges::is_sorted(of_weight, std::greater<>()) &&
             of_weight.back() >= 0;
    };
    if (notes.errors.size() != bench.names.size() || !std::ranges::all_of(notes.errors, is_whole))
      throw InputError("its errors are not those of the selected weights");
    return notes.errors;
  });
}

Errors errors_of_weights(const Workbench& bench, const ErrorNorm& norm) {
  const run::Stage stage = codebook_errors_stage(bench.job);
  if (auto known = restore_errors(bench, stage)) {
    log().info("errors of codebooks taken from run.directory");
    return std::move(*known);
  }
  Errors errors = measure_errors(bench, norm);
  if (bench.stages.is_wanted()) bench.stages.complete(stage, ErrorNotes{errors}, run::Holds::notes);
  return errors;
}

/// Rank b stands for 2^b values; that of 0 is never taken.
Candidate candidate_of(const CompressOptions& options, const NamedShape& weight,
                       const std::vector<double>& errors, double counts) {
  Candidate candidate{.name = weight.name, .shape = weight.shape, .singular_values = {}};
  for (int bits = 0; bits <= most_code_bits(options.method); ++bits)
    candidate.curve.push_back({most_bytes(options, weight, bits),
                               counts * errors[static_cast<std::size_t>(std::max(0, bits - 1))]});
  return candidate;
}

/// "60 weights with 4 values, 150 with 8".
std::string counts_of(const std::vector<std::int64_t>& clusters) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t number : clusters) ++counts[number];
  std::vector<std::string> parts;
  for (const auto& [number, count] : counts)
    parts.push_back(fmt::format(
        "{} with {}", parts.empty() ? counted(count, "weight") : std::to_string(count), number));
  return fmt::format("{} values", fmt::join(parts, ", "));
}

}  // namespace

std::vector<std::int64_t> numbers_of_values(const Workbench& bench, const ErrorNorm& norm) {
  const CompressionJob& job = bench.job;
  if (!bench.options.allocates_values())
    return std::vector<std::int64_t>(bench.names.size(), bench.options.method.clusters);
  const Errors errors = errors_of_weights(bench, norm);
  std::vector<Candidate> candidates;
  for (std::size_t w = 0; w < errors.size(); ++w)
    candidates.push_back(candidate_of(bench.options, job.selected[w], errors[w],
                                      norm.error_weights.empty() ? 1 : norm.error_weights[w]));
  // The points of a curve say themselves what they cost.
  const auto bits = additive_ranks(candidates, FactorGauge::free, byte_budget(job));
  std::vector<std::int64_t> clusters;
  for (const std::int64_t of_weight : bits) clusters.push_back(std::int64_t{1} << of_weight);
  log().info("{:.4f} bits a weight: {}",
             8 * static_cast<double>(stored_numbers(candidates, FactorGauge::free, bits)) /
                 static_cast<double>(job.selected_parameters()),
             counts_of(clusters));
  return clusters;
}

}  // namespace rankine::compress
