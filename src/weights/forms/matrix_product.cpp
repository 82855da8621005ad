#include "weights/forms/matrix_product.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor contract_rows(const std::vector<Tensor>& cores, std::int64_t first, std::int64_t count) {
  std::int64_t columns = 1, block = 1;
  for (const Tensor& core : cores) columns *= core.size(2);
  for (std::size_t k = 1; k < cores.size(); ++k) block *= cores[k].size(1);
  // Only the slices of the first leg that hold rows asked for.
  const std::int64_t begin = count == 0 ? 0 : first / block;
  const std::int64_t end = count == 0 ? 0 : (first + count + block - 1) / block;
  Tensor chain = cores[0].squeeze(0).narrow(0, begin, end - begin);  // rows x columns x chi
  for (std::size_t k = 1; k < cores.size(); ++k) {
    const Tensor& core = cores[k];
    const std::int64_t i = chain.size(0), j = chain.size(1), bond = chain.size(2);
    chain = times_transposed(chain.reshape({i * j, bond}), core.reshape({bond, -1}).t())
                .view({i, j, core.size(1), core.size(2), core.size(3)})
                .permute({0, 2, 1, 3, 4})
                .reshape({i * core.size(1), j * core.size(2), core.size(3)});
  }
  return chain.reshape({chain.size(0), columns})
      .narrow(0, count == 0 ? 0 : first - begin * block, count);
}

MatrixProduct::MatrixProduct(const parallel::Communicator& ranks, RowSplit rows,
                             std::vector<Tensor> cores)
    : MaterialisedWeight(ranks, std::move(rows)), cores_(std::move(cores)) {
  [[maybe_unused]] std::int64_t bond = 1, legs = 1;
  for (const Tensor& core : cores_) {
    RANKINE_EXPECTS(core.dim() == 4 && core.size(0) == bond, "the cores share their bonds");
    bond = core.size(3);
    legs *= core.size(1);
  }
  RANKINE_EXPECTS(bond == 1 && legs == outputs(), "the cores make the rows of the weight");
}

std::int64_t MatrixProduct::inputs() const {
  std::int64_t columns = 1;
  for (const Tensor& core : cores_) columns *= core.size(2);
  return columns;
}

std::vector<Parameter> MatrixProduct::parameters() const {
  std::vector<Parameter> all;
  for (const Tensor& core : cores_)
    all.push_back({fmt::format("core{}", all.size()), core, Placement::copy, 0, core.size(0)});
  return all;
}

std::int64_t MatrixProduct::kept_rank() const {
  std::int64_t largest = 0;
  for (const Tensor& core : cores_) largest = std::max(largest, core.size(3));
  return largest;
}

std::vector<std::int64_t> MatrixProduct::bond_dimensions() const {
  std::vector<std::int64_t> bonds;
  for (std::size_t k = 1; k < cores_.size(); ++k) bonds.push_back(cores_[k].size(0));
  return bonds;
}

Tensor MatrixProduct::compute_rows() const {
  // Each rank's rows give its share of the gradient of a core.
  std::vector<Tensor> shared;
  for (const Tensor& core : cores_) shared.push_back(share_input(team(), core));
  return contract_rows(shared, own_first(), own_count());
}

namespace {

/// The largest divisor of `size` that is not above `target`.
std::int64_t divisor_below(std::int64_t size, double target) {
  std::int64_t best = 1;
  for (std::int64_t d = 1; d * d <= size; ++d)
    if (size % d == 0)
      for (const std::int64_t candidate : {d, size / d})
        if (static_cast<double>(candidate) <= target + 1e-9) best = std::max(best, candidate);
  return best;
}

}  // namespace

std::vector<std::int64_t> balanced_legs(std::int64_t size, int sites) {
  RANKINE_EXPECTS(size > 0 && sites > 0, "legs of a positive size");
  std::vector<std::int64_t> legs;
  for (int left = sites; left > 1; --left) {
    legs.push_back(divisor_below(size, std::pow(static_cast<double>(size), 1.0 / left)));
    size /= legs.back();
  }
  legs.push_back(size);
  std::ranges::sort(legs);
  return legs;
}

OperatorLegs kernel_legs(const KernelShape& shape) {
  OperatorLegs legs{balanced_legs(shape.outputs, 2), balanced_legs(shape.inputs, 2)};
  if (const std::int64_t pixels = shape.height * shape.width; pixels > 1) {
    legs.rows.push_back(1);
    legs.columns.push_back(pixels);
  }
  return legs;
}

std::int64_t stored_numbers_for(const std::vector<std::int64_t>& row_legs,
                                const std::vector<std::int64_t>& column_legs,
                                std::int64_t bond_dimension) {
  RANKINE_EXPECTS(row_legs.size() == column_legs.size(), "as many row legs as column legs");
  // A bond is no larger than the legs on either side of it allow.
  const std::size_t sites = row_legs.size();
  std::vector<std::int64_t> bonds(sites + 1, 1);
  double left = 1, right = 1;
  for (std::size_t k = 0; k < sites; ++k)
    right *= static_cast<double>(row_legs[k] * column_legs[k]);
  std::int64_t numbers = 0;
  for (std::size_t k = 0; k < sites; ++k) {
    const auto leg = row_legs[k] * column_legs[k];
    left = std::min(left * static_cast<double>(leg), 1e18);
    right /= static_cast<double>(leg);
    const double here = static_cast<double>(bonds[k]) * static_cast<double>(leg);
    bonds[k + 1] = static_cast<std::int64_t>(
        std::min({static_cast<double>(bond_dimension), here, std::max(1.0, right)}));
    numbers += bonds[k] * leg * bonds[k + 1];
  }
  return numbers;
}

std::int64_t bond_dimension_for(const std::vector<std::int64_t>& row_legs,
                                const std::vector<std::int64_t>& column_legs, std::int64_t budget) {
  const auto fits = [&](std::int64_t bond) {
    return stored_numbers_for(row_legs, column_legs, bond) <= budget;
  };
  if (!fits(1)) return 0;
  std::int64_t low = 1, high = 1;
  for (std::size_t k = 0; k < row_legs.size(); ++k) high *= row_legs[k] * column_legs[k];
  if (fits(high)) return high;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

std::int64_t matrix_product_numbers(const MatrixShape& shape, int sites,
                                    std::int64_t bond_dimension) {
  return stored_numbers_for(balanced_legs(shape.rows, sites), balanced_legs(shape.columns, sites),
                            bond_dimension);
}

std::int64_t largest_matrix_product(const MatrixShape& shape, int sites, std::int64_t budget) {
  return bond_dimension_for(balanced_legs(shape.rows, sites), balanced_legs(shape.columns, sites),
                            budget);
}

std::unique_ptr<Weight> read_matrix_product(const parallel::Communicator& team,
                                            const DenseSource& source,
                                            const StoredTensors& tensors) {
  std::vector<Tensor> cores;
  std::int64_t bond = 1, rows = source.split.total(), columns = source.inputs;  // left to make
  for (std::string part = "core0"; tensors.has(part); part = fmt::format("core{}", cores.size())) {
    const auto shape = tensors.shape(part);
    tensors.require(part, shape.size() == 4 && shape[0] == bond, "its bond");
    tensors.require(part,
                    shape[1] > 0 && rows % shape[1] == 0 && shape[2] > 0 && columns % shape[2] == 0,
                    "its legs");
    rows /= shape[1];
    columns /= shape[2];
    bond = shape[3];
    cores.push_back(tensors.all(part));
  }
  tensors.require("core0", bond == 1 && rows == 1 && columns == 1, "the legs of all cores");
  return std::make_unique<MatrixProduct>(team, source.split, std::move(cores));
}

}  // namespace rankine::weights
