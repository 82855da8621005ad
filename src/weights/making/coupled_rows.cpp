#include "weights/making/coupled_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "linalg/blas.hpp"
#include "weights/making/value_fit.hpp"
#include "weights/rows/single_threaded_blas.hpp"

namespace rankine::weights {

using linalg::Op;
using torch::Tensor;

namespace {

constexpr std::int64_t columns_per_block = 128;
constexpr std::int64_t columns_per_product = 64;  ///< of one thread
constexpr int most_value_steps = 4;
constexpr double least_gain = 1e-3;  ///< of a step, relative to all that were made

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// to += factor * from.
void add(float* to, float factor, const float* from, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) to[i] += factor * from[i];
}

/// The codebook of every row side by side.
std::vector<float> values_by_row(const RowTile& tile) {
  const std::int64_t clusters = tile.clusters();
  std::vector<float> values(tile.values.size());
  for (std::int64_t k = 0; k < clusters; ++k)
    for (std::int64_t r = 0; r < tile.rows; ++r)
      values[at(r * clusters + k)] = tile.values[at(k * tile.rows + r)];
  return values;
}

std::int32_t nearest(std::span<const float> values, float place) {
  std::int32_t code = 0;
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t k = 0; k < values.size(); ++k) {
    const float distance = std::abs(place - values[k]);
    code = distance < least ? static_cast<std::int32_t>(k) : code;
    least = std::min(least, distance);
  }
  return code;
}

/// Values of the books that go with the codes of a tile and their sums over these.
class BookMap {
 public:
  BookMap(const RowTile& tile, std::int64_t book_rows) : tile_(tile), book_rows_(book_rows) {}

  std::int64_t books() const { return (tile_.count + book_rows_ - 1) / book_rows_; }

  /// Every entry what the book has for its code; nothing where it takes any value.
  std::vector<float> spread(const std::vector<double>& of_books) const {
    std::vector<float> entries(tile_.w.size(), 0.0F);
    for_each_coded([&](std::size_t entry, std::size_t value, std::int64_t) {
      entries[entry] = static_cast<float>(of_books[value]);
    });
    return entries;
  }

  /// sum_i C_ii x_ij over the entries (i, j) of each value.
  std::vector<double> sums(const std::vector<float>& x, const CoupledRows& rows) const {
    std::vector<double> of_books(at(books() * tile_.clusters()), 0.0);
    for_each_coded([&](std::size_t entry, std::size_t value, std::int64_t row) {
      of_books[value] += rows.row_weight(row) * static_cast<double>(x[entry]);
    });
    return of_books;
  }

  /// Of every book as if all other rows stayed, with the pull of the errors.
  std::vector<ValueSystem> systems(const CoupledRows& rows, const std::vector<float>& pull) const {
    std::vector<ValueSystem> found(at(books()), ValueSystem(tile_.clusters()));
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t book = 0; book < books(); ++book)
      for (std::int64_t r = book * book_rows_; r < std::min(tile_.count, (book + 1) * book_rows_);
           ++r)
        found[at(book)].add_row(tile_, r, pull, rows.inputs(), rows.row_weight(r));
    return found;
  }

 private:
  template <class Visit>
  void for_each_coded(Visit&& visit) const {
    for (std::int64_t j = 0; j < tile_.columns(); ++j)
      for (std::int64_t r = 0; r < tile_.count; ++r) {
        const std::size_t entry = at(j * tile_.rows + r);
        if (tile_.codes[entry] < 0) continue;
        visit(entry, at(r / book_rows_ * tile_.clusters() + tile_.codes[entry]), r);
      }
  }

  const RowTile& tile_;
  std::int64_t book_rows_;
};

/// Every book's own best change.
std::vector<double> solve(const std::vector<ValueSystem>& systems,
                          const std::vector<double>& right) {
  std::vector<double> changes;
  auto from = right.begin();
  for (const ValueSystem& system : systems) {
    const auto next = from + static_cast<std::ptrdiff_t>(system.b.size());
    const std::vector<double> of_book = system.solve({from, next});
    changes.insert(changes.end(), of_book.begin(), of_book.end());
    from = next;
  }
  return changes;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

CoupledRows::CoupledRows(const Tensor& inputs, const Tensor& outputs, std::int64_t rows)
    : rows_(rows),
      columns_(inputs.size(0)),
      inputs_(inputs.to(torch::kFloat32).contiguous()),
      outputs_(torch::zeros({rows, rows}, torch::kFloat32)),
      row_weights_(at(rows), 0.0) {
  const std::int64_t count = outputs.size(0);
  const Tensor weights = outputs.diagonal().contiguous();
  outputs_.narrow(0, 0, count).narrow(1, 0, count).copy_(outputs / weights);
  std::copy_n(weights.data_ptr<double>(), count, row_weights_.begin());
}

std::span<const float> CoupledRows::inputs() const {
  return {inputs_.data_ptr<float>(), at(columns_ * columns_)};
}

void CoupledRows::find_pull(const std::vector<float>& errors, std::int64_t first,
                            std::int64_t count, float* pull) const {
  const SingleThreadedBlas guard;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t done = 0; done < count; done += columns_per_product) {
    const std::int64_t now = std::min(columns_per_product, count - done);
    std::vector<float> weighted(at(rows_ * now));
    linalg::gemm<float>(Op::none, Op::none, 1.0F, {errors.data(), rows_, columns_},
                        {inputs_.data_ptr<float>() + (first + done) * columns_, columns_, now},
                        0.0F, {weighted.data(), rows_, now});
    linalg::gemm<float>(Op::none, Op::none, 1.0F, {outputs_.data_ptr<float>(), rows_, rows_},
                        {weighted.data(), rows_, now}, 0.0F, {pull + done * rows_, rows_, now});
  }
}

std::vector<float> CoupledRows::pull(const std::vector<float>& errors) const {
  std::vector<float> found(errors.size());
  find_pull(errors, 0, columns_, found.data());
  return found;
}

double CoupledRows::product(const std::vector<float>& pull, const std::vector<float>& of) const {
  double sum = 0;
  for (std::int64_t j = 0; j < columns_; ++j)
    for (std::int64_t r = 0; r < rows_; ++r) {
      const std::size_t entry = at(j * rows_ + r);
      sum +=
          row_weights_[at(r)] * static_cast<double>(pull[entry]) * static_cast<double>(of[entry]);
    }
  return sum;
}

void CoupledRows::choose(ColumnDescent& at_work, std::int64_t j, float* pull) const {
  RowTile& tile = at_work.tile;
  const std::int64_t clusters = tile.clusters();
  const float own = inputs()[at(j * columns_ + j)];
  for (std::int64_t r = 0; r < tile.count; ++r) {
    const std::size_t entry = at(j * rows_ + r);
    const float place = tile.approximation[entry] - pull[r] / own;
    float taken = place;
    if (std::int32_t& code = tile.codes[entry]; code >= 0) {
      const auto of_row = std::span(at_work.values).subspan(at(r * clusters), at(clusters));
      code = nearest(of_row, place);
      taken = of_row[at(code)];
    }
    const float step = taken - tile.approximation[entry];
    if (step == 0) continue;
    tile.approximation[entry] = taken;
    at_work.errors[entry] = taken - tile.w[entry];
    add(pull, own * step, outputs_.data_ptr<float>() + r * rows_, rows_);
  }
}

void CoupledRows::sweep(RowTile& tile) const {
  ColumnDescent at_work{tile, values_by_row(tile), errors_of(tile)};
  std::vector<float> pulls(at(columns_per_block * rows_)), change;
  for (std::int64_t first = 0; first < columns_; first += columns_per_block) {
    const std::int64_t end = std::min(columns_, first + columns_per_block);
    find_pull(at_work.errors, first, end - first, pulls.data());
    for (std::int64_t j = first; j < end; ++j) {
      float* pull = pulls.data() + (j - first) * rows_;
      change.assign(pull, pull + rows_);
      choose(at_work, j, pull);
      for (std::int64_t r = 0; r < rows_; ++r) change[at(r)] = pull[r] - change[at(r)];
      const std::span<const float> h = inputs().subspan(at(j * columns_), at(columns_));
      for (std::int64_t k = j + 1; k < end; ++k)
        add(pulls.data() + (k - first) * rows_, h[at(k)] / h[at(j)], change.data(), rows_);
    }
  }
}

ErrorChange fit_coupled_values(const CoupledRows& rows, const RowTile& tile, std::int64_t book_rows,
                               std::span<double> values) {
  const BookMap map(tile, book_rows);
  const std::vector<float> errors = errors_of(tile), pull = rows.pull(errors);
  const std::vector<ValueSystem> systems = map.systems(rows, pull);
  ErrorChange error{.before = rows.product(pull, errors), .after = 0};
  error.after = error.before;
  std::vector<double> left = map.sums(pull, rows);  // what values still have to do
  for (double& x : left) x = -x;
  std::vector<double> preconditioned = solve(systems, left), direction = preconditioned;
  double slope = dot(left, preconditioned);
  for (int step = 0; step < most_value_steps && slope > 0; ++step) {
    const std::vector<float> moved = map.spread(direction);
    const std::vector<double> bent = map.sums(rows.pull(moved), rows);
    const double curvature = dot(direction, bent);
    if (!(curvature > 0)) break;
    const double length = slope / curvature, gain = length * slope;
    for (std::size_t k = 0; k < left.size(); ++k) {
      values[k] += length * direction[k];
      left[k] -= length * bent[k];
    }
    error.after -= gain;
    if (gain < least_gain * (error.before - error.after)) break;
    preconditioned = solve(systems, left);
    const double next = dot(left, preconditioned);
    for (std::size_t k = 0; k < left.size(); ++k)
      direction[k] = preconditioned[k] + next / slope * direction[k];
    slope = next;
  }
  return error;
}

}  // namespace rankine::weights
