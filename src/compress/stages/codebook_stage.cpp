#include "compress/stages/codebook_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

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
  weights::SquaredError error = {};  ///< in the norm they were made in
};

MadeCodebooks make(const DealtWeight& weight, const weights::CodebookOptions& options) {
  const weights::RowNorm norm = row_norm(weight);
  MadeCodebooks made{.books = make_codebooks(weight, norm, options)};
  if (weight.has_errors) made.error = weights::squared_error(weight.w, norm, made.books);
  return made;
}

MadeCodebooks broadcast(const Communicator& world, const MadeCodebooks& mine, int root) {
  const auto of_root = [&](const Tensor& tensor, torch::ScalarType type) {
    return weights::broadcast_tensor(world, tensor, type, root);
  };
  MadeCodebooks all{.books = {.values = of_root(mine.books.values, torch::kFloat64),
                              .codes = of_root(mine.books.codes, torch::kInt32),
                              .outliers = {of_root(mine.books.outliers.rows, torch::kInt64),
                                           of_root(mine.books.outliers.columns, torch::kInt64),
                                           of_root(mine.books.outliers.values, torch::kFloat64)},
                              .errors = {}},
                    .error = mine.error};
  for (double* value : {&all.error.error, &all.error.whole})
    world.broadcast(std::span(value, 1), root);
  return all;
}

/// Some rows of codes, in as few bytes as they need.
Tensor codes_of(const weights::Codebooks& books, std::int64_t first, std::int64_t count) {
  const Tensor rows = books.codes.narrow(0, first, count);
  return books.values.size(1) <= 256 ? rows.to(torch::kUInt8) : rows.clone();
}

/// The codebooks of a weight, of which pieces come in the order of rows: of the codes this rank's
/// rows.
class BooksOfWeight {
 public:
  void add(const weights::RowRange& rows, MadeCodebooks piece, const weights::RowRange& own) {
    const std::int64_t first = std::max(rows.first, own.first);
    const std::int64_t count = std::min(rows.end(), own.end()) - first;
    if (count > 0) codes_.push_back(codes_of(piece.books, first - rows.first, count));
    values_.push_back(std::move(piece.books.values));
    outlier_rows_.push_back(piece.books.outliers.rows + rows.first);
    outlier_columns_.push_back(std::move(piece.books.outliers.columns));
    outlier_values_.push_back(std::move(piece.books.outliers.values));
    error_.error += piece.error.error;
    error_.whole += piece.error.whole;
  }

  Tensor values() const { return torch::cat(values_, 0); }
  Tensor own_codes(std::int64_t columns) const {
    return codes_.empty() ? torch::empty({0, columns}, torch::kInt32) : torch::cat(codes_, 0);
  }
  weights::Outliers outliers(torch::ScalarType type) const {
    return {torch::cat(outlier_rows_, 0), torch::cat(outlier_columns_, 0),
            torch::cat(outlier_values_, 0).to(type)};
  }
  double relative_error() const { return error_.relative(); }

 private:
  std::vector<Tensor> values_, codes_, outlier_rows_, outlier_columns_, outlier_values_;
  weights::SquaredError error_;
};

NewForm form_of(const Workbench& bench, std::size_t w, const BooksOfWeight& books) {
  NewForm form = present_form(bench, w);
  const weights::RowSplit split = form.weight->split();
  const torch::ScalarType type = form.weight->own_rows().scalar_type();
  Tensor values = books.values().to(type);
  if (values.size(0) == 1) values = values[0];
  form.weight = std::make_shared<weights::Clustered>(bench.teams.team(), split, values,
                                                     books.own_codes(form.weight->inputs()),
                                                     books.outliers(type));
  form.report.form = form.weight->form();
  form.report.rank = form.weight->kept_rank();
  form.report.numbers = form.weight->stored_numbers();
  form.report.bytes = form.weight->stored_bytes();
  form.report.weighted_error = books.relative_error();
  return form;
}

/// With `clusters` values of each of all selected weights: those at `places` of a group. Collective
/// over the world.
std::vector<NewForm> make_forms(const Workbench& bench, const NormedWeights& group,
                                const std::vector<std::size_t>& places,
                                const std::vector<std::int64_t>& clusters) {
  std::vector<BooksOfWeight> books(group.weights.size());
  MadeCodebooks mine;
  for_each_dealt_piece(
      bench, group, pieces_of(bench, group, places), "codebooks",
      [&](const DealtWeight& weight) {
        const std::size_t w = group.weights[weight.place];
        mine = make(weight, codebook_options(bench.options.method, bench.job.selected[w].shape,
                                             weight.rows, clusters[w]));
      },
      [&](const RowsOfWeight& piece, int root) {
        const auto dense = weight_of(bench.model, bench.names[group.weights[piece.place]]);
        books[piece.place].add(piece.rows, broadcast(bench.world, mine, root),
                               weights::range_of(dense->split(), bench.teams.team().rank()));
      });
  std::vector<NewForm> forms;
  for (const std::size_t place : places) {
    forms.push_back(form_of(bench, group.weights[place], books[place]));
    books[place] = {};
  }
  return forms;
}

/// The layers; embedding and output weight at once, behind them.
void make_in_order(Workbench& bench, ErrorNorm norm, const std::vector<std::int64_t>& clusters) {
  std::vector<std::size_t> vocabulary;
  for (std::size_t w = 0; w < bench.names.size(); ++w)
    if (bench.job.selected[w].is_of_vocabulary()) vocabulary.push_back(w);
  std::vector<NewForm> forms;
  if (!vocabulary.empty())
    bench.timed("replacement", bench.result.seconds.conversion,
                [&] { forms = make_forms(bench, all_weights(bench, norm), vocabulary, clusters); });
  fit_in_order(bench, std::move(norm),
               [&](const std::vector<std::size_t>& group, const ErrorNorm& of_group) {
                 const NormedWeights normed{group, of_group};
                 return make_forms(bench, normed, all_places(normed), clusters);
               });
  for (std::size_t k = 0; k < vocabulary.size(); ++k) {
    bench.model.replace_weight(forms[k].report.name, std::move(forms[k].weight));
    bench.result.weights[vocabulary[k]] = std::move(forms[k].report);
  }
}

}  // namespace

void compress_by_codebooks(Workbench& bench, ErrorNorm norm) {
  CompressionTimes& seconds = bench.result.seconds;
  const auto clusters =
      bench.timed("allocation", seconds.allocation, [&] { return numbers_of_values(bench, norm); });
  if (bench.options.fit.is_sequential()) return make_in_order(bench, std::move(norm), clusters);
  bench.timed("replacement", seconds.conversion, [&] {
    const NormedWeights all = all_weights(bench, norm);
    put_into_model(bench, make_forms(bench, all, all_places(all), clusters));
  });
  log().info("codebooks of {} made in {}", counted(std::ssize(bench.names), "weight"),
             format_duration(seconds.conversion));
}

}  // namespace rankine::compress
