#include "compress/job/bond_dimension.hpp"

#include "weights/forms/matrix_product.hpp"

namespace rankine::compress {

std::int64_t bond_dimension_of(const CompressOptions& options, const MatrixShape& shape) {
  if (options.ranks.bond_dimension > 0) return options.ranks.bond_dimension;
  const int sites = static_cast<int>(options.method.sites);
  const auto budget = static_cast<std::int64_t>(options.ranks.parameter_ratio *
                                                static_cast<double>(shape.dense_numbers()));
  return weights::bond_dimension_for(weights::balanced_legs(shape.rows, sites),
                                     weights::balanced_legs(shape.columns, sites), budget);
}

std::int64_t operator_numbers(const CompressOptions& options, const MatrixShape& shape) {
  const int sites = static_cast<int>(options.method.sites);
  return weights::stored_numbers_for(weights::balanced_legs(shape.rows, sites),
                                     weights::balanced_legs(shape.columns, sites),
                                     bond_dimension_of(options, shape));
}

}  // namespace rankine::compress
