#include "compress/stages/codebook_stage.hpp"

#include <fmt/format.h>


#include "compress/stages/dealt_weights.hpp"
#include "compress/stages/sequential_fit.hpp"
#include "compress/stages/simple_forms.hpp"
#include "core/log.hpp"
#include "core/text_format.hpp"
#include "weights/forms/clustered.hpp"
#include "weights/making/codebooks.hpp"
#include "weights/rows/broadcast_tensor.hpp"

namespace rankine::compress {

using parallel::Communicator;
using torch::Tensor;

namespace {

struct MadeCodebooks {
  weights::Codebooks books;
  double error = 0;  ///< relative, in the norm they were made in
};

weights::CodebookOptions how(const MethodOptions& method, const Tensor& w) {
  return {.clusters = method.clusters,
          .rows_per_book = method.rows_per_book(w.size(0)).value(),
          .outliers = method.outliers_of(w.numel()),
          .outlier_choice = method.outlier_choice,
          .rounds = method.rounds,
          .start = method.start};
}

/// The part of the moment of the output gradients that says what rows count one by one.
Tensor own_weights(const DealtWeight& weight) {
  const Tensor& whole = weight.norm.outputs;
  return whole.defined() ? whole.diagonal().contiguous() : weight.row_weights;
}

/// What rows count beside each other. Moments of tokens know already what a group of rows does, so
/// that the mean of each group is 1.
Tensor row_weights(const DealtWeight& weight) {
  const Tensor own = own_weights(weight);
  if (weight.token_moments.empty() || !own.defined()) return own;
  const auto groups =
      weights::RowSplit::even(own.size(0), static_cast<int>(std::ssize(weight.token_moments)));
  Tensor relative = own.clone();
  for (int g = 0; g < groups.n_ranks(); ++g) {
    const Tensor of_group = relative.narrow(0, groups.first(g), groups.count(g));
    of_group.div_(of_group.mean());
  }
  return relative;
}

/// Rows count together under one moment of the inputs; parts of them with moments of their own do
/// not.
weights::RowNorm norm_of(const DealtWeight& weight) {
  weights::RowNorm norm;
  if (!weight.has_errors) return norm;
  norm.moments = weight.token_moments;
  if (weight.norm.inputs.defined()) norm.moments = {weight.norm.inputs};
  if (norm.moments.size() == 1) norm.outputs = weight.norm.outputs;
  if (!norm.outputs.defined()) norm.row_weights = row_weights(weight);
  return norm;
}

/// Where errors count nothing only K-means says what values are.
MadeCodebooks make(const DealtWeight& weight, weights::CodebookOptions options) {
  const weights::RowNorm norm = norm_of(weight);
  if (norm.moments.empty()) options.rounds = 0;
  MadeCodebooks made{.books = weights::make_codebooks(weight.w, norm, options)};
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

/// Collective over the world.
std::vector<NewForm> make_forms(const Workbench& bench, const NormedWeights& group) {
  const MethodOptions& method = bench.options.method;
  std::vector<NewForm> forms(group.weights.size());
  MadeCodebooks mine;
  for_each_dealt_weight(
      bench, group, all_places(group), "codebooks",
      [&](const DealtWeight& weight) { mine = make(weight, how(method, weight.w)); },
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
  if (bench.options.fit.is_sequential())
    return fit_in_order(bench, std::move(norm),
                        [&](const std::vector<std::size_t>& group, const ErrorNorm& of_group) {
                          return make_forms(bench, {group, of_group});
                        });
  bench.timed("replacement", bench.result.seconds.conversion,
              [&] { put_into_model(bench, make_forms(bench, all_weights(bench, norm))); });
  log().info("codebooks of {} made in {}", counted(std::ssize(bench.names), "weight"),
             format_duration(bench.result.seconds.conversion));
}

}  // namespace rankine::compress
