#include "weights/making/column_sweep.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "linalg/blas.hpp"

namespace rankine::weights {

using linalg::Op;
using torch::Tensor;

namespace {

constexpr std::int64_t columns_per_block = 128;

/// Column `j` takes the values nearest to `place`, one for each row; free entries take the place.
void take_nearest(RowTile& tile, std::int64_t j, const float* place) {
  float* taken = tile.approximation.data() + j * tile.rows;
  std::int32_t* codes = tile.codes.data() + j * tile.rows;
  const std::int64_t clusters = tile.clusters();
  for (std::int64_t begin = 0; begin < tile.rows; begin += row_lanes) {
    const float* wanted = place + begin;
    const float* value = tile.values.data() + begin;
    std::array<float, row_lanes> least, at;
    std::array<std::int32_t, row_lanes> code;
    least.fill(std::numeric_limits<float>::infinity());
    for (std::int64_t k = 0; k < clusters; ++k, value += tile.rows)
      for (std::size_t r = 0; r < row_lanes; ++r) {
        const float distance = std::abs(wanted[r] - value[r]);
        const bool is_nearer = distance < least[r];
        least[r] = is_nearer ? distance : least[r];
        at[r] = is_nearer ? value[r] : at[r];
        code[r] = is_nearer ? static_cast<std::int32_t>(k) : code[r];
      }
    for (std::size_t r = 0; r < row_lanes; ++r) {
      const bool is_free = codes[begin + static_cast<std::int64_t>(r)] < 0;
      taken[begin + static_cast<std::int64_t>(r)] = is_free ? wanted[r] : at[r];
      if (!is_free) codes[begin + static_cast<std::int64_t>(r)] = code[r];
    }
  }
}

/// What the steps of one block of columns need at once.
class BlockSweep {
 public:
  BlockSweep(RowTile& tile, const ColumnCoupling& coupling, std::vector<float>& errors)
      : tile_(tile),
        coupling_(coupling),
        errors_(errors),
        rows_(tile.rows),
        n_(coupling.factors.size(0)),
        places_(static_cast<std::size_t>(columns_per_block * rows_)),
        steps_(static_cast<std::size_t>(rows_)) {}

  void run(std::int64_t first, std::int64_t count) {
    find_places(first, count);
    for (std::int64_t j = first; j < first + count; ++j) {
      choose(j, places_.data() + (j - first) * rows_);
      for (std::int64_t k = j + 1; k < first + count; ++k)
        move(places_.data() + (k - first) * rows_, factors()[k * n_ + j]);
    }
  }

 private:
  const float* factors() const { return coupling_.factors.data_ptr<float>(); }

  /// Where the entries of a block are best, as all columns stand.
  void find_places(std::int64_t first, std::int64_t count) {
    std::copy_n(tile_.w.data() + first * rows_, count * rows_, places_.data());
    linalg::gemm<float>(Op::none, Op::none, -1.0F, {errors_.data(), rows_, n_},
                        {factors() + first * n_, n_, count}, 1.0F, {places_.data(), rows_, count});
  }

  void choose(std::int64_t j, const float* place) {
    const float* w = tile_.w.data() + j * rows_;
    const float* taken = tile_.approximation.data() + j * rows_;
    float* error = errors_.data() + j * rows_;
    const float* origin = coupling_.compensates ? place : w;
    take_nearest(tile_, j, place);
    for (std::int64_t r = 0; r < rows_; ++r) {
      const float now = taken[r] - origin[r];
      steps_[static_cast<std::size_t>(r)] = now - error[r];
      error[r] = now;
    }
  }

  void move(float* place, float factor) const {
    const float* steps = steps_.data();
    for (std::int64_t r = 0; r < rows_; ++r) place[r] -= factor * steps[r];
  }

  RowTile& tile_;
  const ColumnCoupling& coupling_;
  std::vector<float>& errors_;
  std::int64_t rows_, n_;
  std::vector<float> places_, steps_;
};

}  // namespace

ColumnCoupling ColumnCoupling::descent(const Tensor& moment) {
  Tensor factors = moment / moment.diagonal().unsqueeze(1);
  factors.fill_diagonal_(0);
  return {factors.to(torch::kFloat32).contiguous(), false};
}

ColumnCoupling ColumnCoupling::compensation(const Tensor& moment) {
  const Tensor inverse = at::cholesky_inverse(at::linalg_cholesky(moment));
  const Tensor upper = at::linalg_cholesky(inverse).t();
  Tensor factors = -(upper / upper.diagonal().unsqueeze(1)).t();
  factors.fill_diagonal_(0);
  return {factors.to(torch::kFloat32).contiguous(), true};
}

RowTile::RowTile(std::int64_t first_row, std::int64_t n_rows, std::int64_t columns,
                 std::int64_t clusters)
    : first(first_row),
      count(n_rows),
      rows((n_rows + row_lanes - 1) / row_lanes * row_lanes),
      w(static_cast<std::size_t>(rows * columns), 0.0F),
      approximation(w.size(), 0.0F),
      codes(w.size(), 0),
      values(static_cast<std::size_t>(rows * clusters), 0.0F) {}

std::vector<float> errors_of(const RowTile& tile) {
  std::vector<float> errors(tile.w.size());
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = tile.approximation[i] - tile.w[i];
  return errors;
}

void take_nearest_values(RowTile& tile) {
  for (std::int64_t j = 0; j < tile.columns(); ++j)
    take_nearest(tile, j, tile.w.data() + j * tile.rows);
}

void sweep_columns(RowTile& tile, const ColumnCoupling& coupling) {
  const std::int64_t n = coupling.factors.size(0);
  std::vector<float> errors =
      coupling.compensates ? std::vector<float>(tile.w.size(), 0.0F) : errors_of(tile);
  BlockSweep sweep(tile, coupling, errors);
  for (std::int64_t first = 0; first < n; first += columns_per_block)
    sweep.run(first, std::min(columns_per_block, n - first));
}

std::vector<float> weighted_errors(const RowTile& tile, const Tensor& moment) {
  const std::int64_t n = moment.size(0);
  const std::vector<float> errors = errors_of(tile);
  std::vector<float> product(errors.size());
  linalg::gemm<float>(Op::none, Op::none, 1.0F, {errors.data(), tile.rows, n},
                      {moment.data_ptr<float>(), n, n}, 0.0F, {product.data(), tile.rows, n});
  return product;
}

}  // namespace rankine::weights
