#include "compress/stages/codebook_stage.hpp"

#include <fmt/format.h>

#include "compress/job/shared_values.hpp"
#include "compress/stages/dealt_codebooks.hpp"
#include "compress/stages/sequential_fit.hpp"
#include "compress/stages/simple_forms.hpp"
#include "compress/stages/value_allocation.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/forms/clustered.hpp"
#include "weights/rows/broadcast_tensor.hpp"

namespace rankine::compress {

using parallel::Communicator;
using torch::Tensor;

namespace {

struct MadeCodebooks {
  weights::Codebooks books;
  double error = 0;  ///< relative, in the norm they were made in
};

MadeCodebooks make(const DealtWeight& weight, const weights::CodebookOptions& options) {
  const weights::RowNorm norm = row_norm(weight);
  MadeCodebooks made{.books = make_codebooks(weight, norm, options)};
  if (weight.has_errors) made.error = weights::relative_error(weight.w, norm, made.books);
  return made;
}

weights::Codebooks broadcast(const Communicator& world, const weights::Codebooks& mine, int root) {
  const auto of_root = [&](const Tensor& tensor, torch::ScalarType type) {
    return weights::broadcast_tensor(world, tensor, type, root);
  };
  return {.values = of_root(mine.values, torch::kFloat64),
          .codes = of_root(mine.codes, torch::kInt32),
          .outliers = {of_root(mine.outliers.rows, torch::kInt64),
                       of_root(mine.outliers.columns, torch::kInt64),
                       of_root(mine.outliers.values, torch::kFloat64)},
          .errors = {}};
}

NewForm form_of(const Workbench& bench, std::size_t w, const weights::Codebooks& books) {
  NewForm form = present_form(bench, w);
  const Communicator& team = bench.teams.team();
  const weights::RowSplit split = form.weight->split();
  const torch::ScalarType type = form.weight->own_rows().scalar_type();
  const Tensor values = books.values.size(0) == 1 ? books.values[0] : books.values;
  weights::Outliers outliers = books.outliers;
  outliers.values = outliers.values.to(type);
  form.weight = std::make_shared<weights::Clustered>(
      team, split, values.to(type),
      books.codes.narrow(0, split.first(team.rank()), split.count(team.rank())),
      std::move(outliers));
  form.report.form = form.weight->form();
  form.report.rank = form.weight->kept_rank();
  form.report.numbers = form.weight->stored_numbers();
  form.report.bytes = form.weight->stored_bytes();
  return form;
}

/// With `clusters` values of each of all selected weights. Collective over the world.
std::vector<NewForm> make_forms(const Workbench& bench, const NormedWeights& group,
                                const std::vector<std::int64_t>& clusters) {
  std::vector<NewForm> forms(group.weights.size());
  MadeCodebooks mine;
  for_each_dealt_weight(
      bench, group, all_places(group), "codebooks",
      [&](const DealtWeight& weight) {
        const std::size_t w = group.weights[weight.place];
        mine = make(weight, codebook_options(bench.options.method, bench.job.selected[w].shape,
                                             clusters[w]));
      },
      [&](std::size_t place, int root) {
        NewForm& form = forms[place];
        form = form_of(bench, group.weights[place], broadcast(bench.world, mine.books, root));
        form.report.weighted_error = mine.error;
        bench.world.broadcast(std::span(&form.report.weighted_error, 1), root);
      });
  return forms;
}

}  // namespace

void compress_by_codebooks(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  const auto clusters =
      bench.timed("allocation", seconds.allocation, [&] { return numbers_of_values(bench, norm); });
  if (bench.options.fit.is_sequential())
    return fit_in_order(bench, std::move(norm),
                        [&](const std::vector<std::size_t>& group, const ErrorNorm& of_group) {
                          return make_forms(bench, {group, of_group}, clusters);
                        });
  bench.timed("replacement", seconds.conversion, [&] {
    put_into_model(bench, make_forms(bench, all_weights(bench, norm), clusters));
  });
  log().info("codebooks of {} made in {}", counted(std::ssize(bench.names), "weight"),
             format_duration(seconds.conversion));
}

}  // namespace rankine::compress
