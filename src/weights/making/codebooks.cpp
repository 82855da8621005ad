#include "weights/making/codebooks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>

#include "core/contracts.hpp"
#include "weights/forms/clustered.hpp"
#include "weights/making/column_sweep.hpp"
#include "weights/making/coupled_rows.hpp"
#include "weights/making/outlier_choice.hpp"
#include "weights/making/value_fit.hpp"
#include "weights/making/value_histogram.hpp"
#include "weights/rows/row_split.hpp"
#include "weights/rows/single_threaded_blas.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

constexpr std::int64_t rows_per_tile = 128;
/// Of a K-means that is only a start: distinct entries for each value, beyond which they are
/// binned.
constexpr std::int64_t bins_per_value = 16;
constexpr std::int64_t fewest_bins = 256;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Of a book some of whose rows lie in another tile.
struct OpenSystem {
  std::int64_t book;
  ValueSystem system;
};

/// A matrix on its way to codebooks.
class CodebookFit {
 public:
  CodebookFit(const Tensor& w, const RowNorm& norm, const CodebookOptions& options)
      : norm_(norm),
        options_(options),
        rows_(w.size(0)),
        columns_(w.size(1)),
        book_rows_(options.rows_per_book),
        books_((rows_ + book_rows_ - 1) / book_rows_),
        parts_(RowSplit::even(rows_, std::max(1, static_cast<int>(std::ssize(norm.moments))))),
        w_(w.to(torch::kFloat32).contiguous()),
        row_weights_(norm.outputs.defined() ? norm.outputs.diagonal().contiguous()
                                            : norm.row_weights),
        values_(at(books_ * options.clusters), 0.0) {
    for (const Tensor& moment : norm.moments) prepare(moment);
    for (int part = 0; part < parts_.n_ranks(); ++part) add_tiles(part);
    if (is_coupled()) coupled_.emplace(norm.moments.front(), norm.outputs, tiles_.front().rows);
  }

  void start() {
    choose_outliers();
    cluster();
  }

  std::vector<double> improve() {
    if (options_.start == CodeStart::compensated) compensate();
    std::vector<double> errors;
    double error = fit_values(errors);
    for (std::int64_t round = 0; round < options_.rounds; ++round) {
      const std::vector<RowTile> before = tiles_;
      const std::vector<double> values_before = values_;
      for (std::int64_t s = 0; s < options_.sweeps; ++s) sweep();
      std::vector<double> found;
      const double next = fit_values(found);
      if (!(next < error)) {  // rounding
        tiles_ = before;
        values_ = values_before;
        break;
      }
      error = next;
      errors.push_back(error);
    }
    return errors;
  }

  Codebooks result(std::vector<double> errors) const {
    Codebooks books{
        .rows_per_book = book_rows_,
        .values = torch::tensor(values_, torch::kFloat64).view({books_, options_.clusters}),
        .codes = torch::zeros({rows_, columns_}, torch::kInt32),
        .outliers = {},
        .errors = std::move(errors)};
    std::int32_t* codes = books.codes.data_ptr<std::int32_t>();
    std::vector<std::int64_t> rows, columns;
    std::vector<double> values;
    for (const RowTile& tile : tiles_)
      for (std::int64_t r = 0; r < tile.count; ++r)
        for (std::int64_t j = 0; j < columns_; ++j) {
          const std::int32_t code = tile.codes[at(j * tile.rows + r)];
          codes[(tile.first + r) * columns_ + j] = std::max(code, 0);
          if (code >= 0) continue;
          rows.push_back(tile.first + r);
          columns.push_back(j);
          values.push_back(static_cast<double>(tile.approximation[at(j * tile.rows + r)]));
        }
    books.outliers = {torch::tensor(rows, torch::kInt64), torch::tensor(columns, torch::kInt64),
                      torch::tensor(values, torch::kFloat64)};
    return books;
  }

 private:
  bool is_coupled() const { return options_.rounds > 0 && norm_.outputs.defined(); }

  void prepare(const Tensor& moment) {
    const Tensor diagonal = (moment.dim() == 1 ? moment : moment.diagonal()).to(torch::kFloat32);
    diagonals_.push_back(diagonal.contiguous());
    if (options_.rounds == 0 || is_coupled()) return;
    moments_.push_back(moment.to(torch::kFloat32).contiguous());
    descent_.push_back(ColumnCoupling::descent(moment));
  }

  /// Rows that count together are one tile.
  std::int64_t tile_height() const {
    if (is_coupled()) return rows_;
    return book_rows_ <= rows_per_tile ? rows_per_tile / book_rows_ * book_rows_ : rows_per_tile;
  }

  /// Books end with tiles unless they are longer.
  void add_tiles(int part) {
    const std::int64_t height = tile_height();
    const std::int64_t end = parts_.first(part) + parts_.count(part);
    for (std::int64_t first = parts_.first(part); first < end;) {
      const std::int64_t next = std::min(end, (first / height + 1) * height);
      RowTile tile(first, next - first, columns_, options_.clusters);
      for (std::int64_t r = 0; r < tile.count; ++r)
        for (std::int64_t j = 0; j < columns_; ++j)
          tile.w[at(j * tile.rows + r)] = w_.data_ptr<float>()[(first + r) * columns_ + j];
      tiles_.push_back(std::move(tile));
      part_.push_back(static_cast<std::size_t>(part));
      first = next;
    }
  }

  template <class Work>
  void for_each_tile(Work&& work) {
    const SingleThreadedBlas guard;
#pragma omp parallel for schedule(dynamic)
    for (std::size_t t = 0; t < tiles_.size(); ++t) work(t);
  }

  double row_weight(std::int64_t row) const {
    return row_weights_.defined() ? row_weights_.data_ptr<double>()[row] : 1;
  }
  float entry_weight(std::size_t t, std::int64_t row, std::int64_t j) const {
    const float column = diagonals_.empty() ? 1 : diagonals_[part_[t]].data_ptr<float>()[j];
    return column * static_cast<float>(row_weight(row));
  }

  double outlier_score(std::size_t t, std::int64_t r, std::int64_t j) const {
    const RowTile& tile = tiles_[t];
    const std::size_t place = at(j * tile.rows + r);
    const double w = tile.w[place];
    if (options_.outlier_choice == OutlierChoice::magnitude) return std::abs(w);
    const double missed =
        options_.outlier_choice == OutlierChoice::error ? w - tile.approximation[place] : w;
    return missed * missed * static_cast<double>(entry_weight(t, tile.first + r, j));
  }

  void choose_outliers() {
    if (options_.outliers == 0) return;
    if (options_.outlier_choice == OutlierChoice::error) cluster();
    std::vector<ScoredEntry> entries;
    entries.reserve(at(rows_ * columns_));
    for (std::size_t t = 0; t < tiles_.size(); ++t)
      for (std::int64_t r = 0; r < tiles_[t].count; ++r)
        for (std::int64_t j = 0; j < columns_; ++j)
          entries.push_back({outlier_score(t, r, j), (tiles_[t].first + r) * columns_ + j});
    mark_outliers(outlier_places(std::move(entries), options_.outliers));
  }

  void mark_outliers(const std::vector<std::int64_t>& places) {
    const std::vector<std::size_t> of_row = tiles_of_rows();
    for (const std::int64_t place : places) {
      const std::int64_t row = place / columns_;
      RowTile& tile = tiles_[of_row[at(row)]];
      tile.codes[at(place % columns_ * tile.rows + row - tile.first)] = -1;
    }
  }

  /// The tile of each row.
  std::vector<std::size_t> tiles_of_rows() const {
    std::vector<std::size_t> of_row(at(rows_));
    for (std::size_t t = 0; t < tiles_.size(); ++t)
      std::fill_n(of_row.begin() + tiles_[t].first, tiles_[t].count, t);
    return of_row;
  }

  /// Exact K-means of every book, and the nearest values.
  void cluster() {
    const std::vector<std::size_t> of_row = tiles_of_rows();
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t book = 0; book < books_; ++book) cluster_book(book, of_row);
    spread_values();
    for_each_tile([&](std::size_t t) { take_nearest_values(tiles_[t]); });
  }

  void cluster_book(std::int64_t book, const std::vector<std::size_t>& of_row) {
    std::vector<float> entries, weights;
    for (std::int64_t row = book * book_rows_; row < std::min(rows_, (book + 1) * book_rows_);
         ++row) {
      const std::size_t t = of_row[at(row)];
      const RowTile& tile = tiles_[t];
      for (std::int64_t j = 0; j < columns_; ++j) {
        const std::size_t place = at(j * tile.rows + row - tile.first);
        if (tile.codes[place] < 0) continue;
        entries.push_back(tile.w[place]);
        weights.push_back(entry_weight(t, row, j));
      }
    }
    const std::int64_t bins = std::max(fewest_bins, bins_per_value * options_.clusters);
    const ValueHistogram histogram =
        value_histogram(entries, weights, options_.rounds > 0 ? bins : most_distinct_values);
    const Clusters found = optimal_clusters(histogram.values, options_.clusters);
    double* values = values_.data() + book * options_.clusters;
    std::ranges::copy(found.centroids, values);
    const double last = found.centroids.empty() ? 0 : found.centroids.back();
    std::fill(values + found.centroids.size(), values + options_.clusters, last);
  }

  /// Values of the books into the tiles.
  void spread_values() {
    for_each_tile([&](std::size_t t) {
      RowTile& tile = tiles_[t];
      for (std::int64_t r = 0; r < tile.count; ++r) {
        const double* values = values_.data() + (tile.first + r) / book_rows_ * options_.clusters;
        for (std::int64_t k = 0; k < options_.clusters; ++k)
          tile.values[at(k * tile.rows + r)] = static_cast<float>(values[k]);
      }
    });
  }

  /// The values of their codes; outliers stay.
  void take_values(RowTile& tile) const {
    for (std::int64_t j = 0; j < columns_; ++j)
      for (std::int64_t r = 0; r < tile.count; ++r) {
        const std::size_t place = at(j * tile.rows + r);
        if (tile.codes[place] >= 0)
          tile.approximation[place] = tile.values[at(tile.codes[place] * tile.rows + r)];
      }
  }

  void compensate() {
    std::vector<ColumnCoupling> coupling;
    for (const Tensor& moment : norm_.moments)
      coupling.push_back(ColumnCoupling::compensation(moment));
    for_each_tile([&](std::size_t t) { sweep_columns(tiles_[t], coupling[part_[t]]); });
  }

  void sweep() {
    if (coupled_) return coupled_->sweep(tiles_.front());
    for_each_tile([&](std::size_t t) { sweep_columns(tiles_[t], descent_[part_[t]]); });
  }

  /// The best values for the codes. Adds the squared error before, and returns it after.
  double fit_values(std::vector<double>& errors) {
    const ErrorChange error =
        coupled_ ? fit_coupled_values(*coupled_, tiles_.front(), book_rows_, values_)
                 : fit_values_by_tile();
    errors.push_back(error.before);
    spread_values();
    for_each_tile([&](std::size_t t) { take_values(tiles_[t]); });
    return error.after;
  }

  ErrorChange fit_values_by_tile() {
    std::vector<double> before(tiles_.size()), gains(tiles_.size());
    std::vector<std::vector<OpenSystem>> open(tiles_.size());
    for_each_tile([&](std::size_t t) { fit_tile(t, before[t], gains[t], open[t]); });
    const double error = std::accumulate(before.begin(), before.end(), 0.0);
    const double gain = std::accumulate(gains.begin(), gains.end(), 0.0) + close(open);
    return {error, error - gain};
  }

  void fit_tile(std::size_t t, double& error, double& gain, std::vector<OpenSystem>& open) {
    const RowTile& tile = tiles_[t];
    const Tensor& moment = moments_[part_[t]];
    const std::vector<float> weighted = weighted_errors(tile, moment);
    error = gain = 0;
    const std::int64_t end = tile.first + tile.count;
    for (std::int64_t row = tile.first; row < end;) {
      const std::int64_t book = row / book_rows_;
      const std::int64_t next = std::min(end, (book + 1) * book_rows_);
      ValueSystem system(options_.clusters);
      for (std::int64_t r = row - tile.first; r < next - tile.first; ++r) {
        const double weight = row_weight(tile.first + r);
        system.add_row(tile, r, weighted, {moment.data_ptr<float>(), at(columns_ * columns_)},
                       weight);
        error += weight * row_error(tile, r, weighted);
      }
      if (row == book * book_rows_ && next == std::min(rows_, (book + 1) * book_rows_))
        gain += system.improve(values_of(book));
      else
        open.push_back({book, std::move(system)});
      row = next;
    }
  }

  double row_error(const RowTile& tile, std::int64_t r, const std::vector<float>& weighted) const {
    double error = 0;
    for (std::int64_t j = 0; j < columns_; ++j) {
      const std::size_t place = at(j * tile.rows + r);
      error += static_cast<double>(weighted[place]) *
               static_cast<double>(tile.approximation[place] - tile.w[place]);
    }
    return error;
  }

  std::span<double> values_of(std::int64_t book) {
    return std::span(values_).subspan(at(book * options_.clusters), at(options_.clusters));
  }

  /// Books of several tiles, in the order of these.
  double close(const std::vector<std::vector<OpenSystem>>& open) {
    double gain = 0;
    std::vector<OpenSystem> joined;
    for (const auto& of_tile : open)
      for (const OpenSystem& part : of_tile)
        if (!joined.empty() && joined.back().book == part.book)
          joined.back().system.add(part.system);
        else
          joined.push_back(part);
    for (const OpenSystem& whole : joined) gain += whole.system.improve(values_of(whole.book));
    return gain;
  }

  const RowNorm& norm_;
  const CodebookOptions& options_;
  std::int64_t rows_, columns_, book_rows_, books_;
  RowSplit parts_;  ///< rows by the moment that their errors are measured with
  Tensor w_;
  Tensor row_weights_;  ///< c; undefined for 1
  std::vector<double> values_;
  std::vector<Tensor> diagonals_, moments_;  ///< float32
  std::vector<ColumnCoupling> descent_;
  std::optional<CoupledRows> coupled_;  ///< where rows count together
  std::vector<RowTile> tiles_;
  std::vector<std::size_t> part_;  ///< of each tile
};

}  // namespace

std::int64_t even_book_rows(std::int64_t rows, std::int64_t wanted) {
  RANKINE_EXPECTS(rows > 0 && wanted > 0, "books have rows");
  const std::int64_t books = (rows + wanted - 1) / wanted;
  return (rows + books - 1) / books;
}

std::int64_t most_stored_bytes(const MatrixShape& shape, const CodebookOptions& options,
                               std::int64_t number_bytes) {
  const std::int64_t entries = shape.dense_numbers();
  const std::int64_t of_a_book = even_book_rows(shape.rows, options.rows_per_book);
  const std::int64_t values = (shape.rows + of_a_book - 1) / of_a_book * options.clusters;
  const std::int64_t row_bytes = (shape.columns * bits_per_code(options.clusters) + 7) / 8;
  const std::int64_t added = most_added_outliers(entries, options.outliers);
  const bool has_short_gaps = added > 0 || entries <= longest_short_gap;
  return shape.rows * row_bytes + number_bytes * values +
         (number_bytes + (has_short_gaps ? 2 : 4)) * (options.outliers + added);
}

Codebooks make_codebooks(const Tensor& w, const RowNorm& norm, const CodebookOptions& options) {
  RANKINE_EXPECTS(options.outliers < w.numel() && (options.rounds == 0 || !norm.moments.empty()),
                  "entries to cluster, and a norm to improve them in");
  const torch::NoGradGuard no_gradients;
  CodebookFit fit(w, norm, options);
  fit.start();
  return fit.result(options.rounds > 0 ? fit.improve() : std::vector<double>{});
}

namespace {

double squared(const Tensor& error, const RowNorm& norm) {
  if (norm.outputs.defined())
    return (norm.outputs.mm(error.mm(norm.moments.front())) * error).sum().item<double>();
  const RowSplit parts =
      RowSplit::even(error.size(0), std::max(1, static_cast<int>(std::ssize(norm.moments))));
  double sum = 0;
  for (int part = 0; part < parts.n_ranks(); ++part) {
    const Tensor e = error.narrow(0, parts.first(part), parts.count(part));
    Tensor weighted = e;
    if (!norm.moments.empty()) {
      const Tensor& moment = norm.moments[at(part)];
      weighted = moment.dim() == 1 ? e * moment : e.mm(moment);
    }
    Tensor of_rows = (e * weighted).sum(1);
    if (norm.row_weights.defined())
      of_rows = of_rows * norm.row_weights.narrow(0, parts.first(part), parts.count(part));
    sum += of_rows.sum().item<double>();
  }
  return sum;
}

}  // namespace

double SquaredError::relative() const { return whole > 0 ? std::sqrt(error / whole) : 0; }

SquaredError squared_error(const Tensor& w, const RowNorm& norm, const Codebooks& books) {
  const Tensor book = torch::arange(w.size(0), torch::kInt64).floor_divide(books.rows_per_book);
  const Tensor places = books.codes.to(torch::kInt64) + (book * books.values.size(1)).unsqueeze(1);
  Tensor made = books.values.flatten().index_select(0, places.flatten()).view(w.sizes());
  made.index_put_({books.outliers.rows, books.outliers.columns}, books.outliers.values);
  return {squared(w - made, norm), squared(w, norm)};
}

}  // namespace rankine::weights
