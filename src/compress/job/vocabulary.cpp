#include "compress/job/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/errors.hpp"

namespace rankine::compress {

namespace {

[[noreturn]] void refuse(const NamedShape& weight, const std::string& what, const char* why,
                         const char* advice) {
  throw InputError(fmt::format("{} stands beside {} in select.weights ({}). {}", what, weight.name,
                               why, advice));
}

void check_form(const NamedShape& weight, const CompressOptions& options) {
  const weights::Form form = options.method.form;
  if (form != weights::Form::clustered && form != weights::Form::low_rank &&
      form != weights::Form::dense)
    refuse(weight, fmt::format("method.form = \"{}\"", name(form)),
           "a weight with a row for every token becomes clusters or two factors",
           "Choose \"clustered\", \"low-rank\" or \"dense\", or leave it out.");
}

void check_ways(const NamedShape& weight, const CompressOptions& options) {
  if (options.needs_fermi())
    refuse(weight, "ranks.allocation = \"fermi\"", "masks fade out components of the layers alone",
           "Set ranks.allocation = \"additive\" or \"uniform\".");
  if (options.measures_errors())
    refuse(weight, "ranks.error_weights = \"measured\"", "weights of the layers are measured alone",
           "Choose other error weights, or leave the weight out.");
  if (options.ranks.depth_bias != 0)
    refuse(weight, "ranks.depth_bias", "it counts errors by the layer they are in",
           "Set it to 0, or leave the weight out.");
  if (options.needs_token_moments())
    refuse(weight, "calibration.gradient_groups",
           "gradients of all tokens of the vocabulary are never there at once",
           "Set it to 0, or leave the weight out.");
  if (options.is_profile())
    refuse(weight, "sensitivity.bond_dimensions", "a profile is one of the layers",
           "Leave the weight out.");
  if (!options.experiments.names.empty())
    refuse(weight, "experiments.names", "the experiments change the layers",
           "Leave the weight out.");
}

/// Its errors count by how often rows are read, and not by what they do to the loss.
void check_embedding(const NamedShape& weight, const CompressionJob& job) {
  const RankOptions& ranks = job.options.ranks;
  if (weight.part != models::Part::embedding || job.selected.size() == 1) return;
  if (job.options.allocates_values())
    refuse(weight, fmt::format("ranks.bits_per_weight = {}", ranks.bits_per_weight),
           "errors of an embedding that is not tied cannot be compared with others",
           "Drop ranks.bits_per_weight, or leave the weight out.");
  if (!job.options.method.has_ranks() || ranks.allocation == Allocation::uniform) return;
  refuse(weight, fmt::format("ranks.allocation = \"{}\"", name(ranks.allocation)),
         "errors of an embedding that is not tied cannot be compared with others",
         "Set ranks.allocation = \"uniform\", or leave the weight out.");
}

}  // namespace

void check_vocabulary(const CompressionJob& job) {
  for (const NamedShape& weight : job.selected) {
    if (!weight.is_of_vocabulary()) continue;
    check_form(weight, job.options);
    check_ways(weight, job.options);
    check_embedding(weight, job);
  }
}

std::int64_t rows_at_once(const NamedShape& weight, const MethodOptions& method) {
  constexpr std::int64_t wanted = 4096;
  const std::int64_t rows = weight.shape.rows;
  if (!weight.is_of_vocabulary()) return rows;
  const std::int64_t of_a_book =
      weights::even_book_rows(rows, method.rows_per_book(rows).value_or(rows));
  return std::min(rows, std::max<std::int64_t>(1, wanted / of_a_book) * of_a_book);
}

}  // namespace rankine::compress
