#include "compress/job/bond_dimension.hpp"

namespace rankine::compress {

std::int64_t bond_dimension_of(const CompressOptions& options, const weights::MatrixShape& shape) {
  if (options.ranks.bond_dimension > 0) return options.ranks.bond_dimension;
  const auto budget = static_cast<std::int64_t>(options.ranks.parameter_ratio *
                                                static_cast<double>(shape.dense_numbers()));
  return weights::facts_of(options.method.form)
      .bonds.largest(shape, static_cast<int>(options.method.sites), budget);
}

std::int64_t operator_numbers(const CompressOptions& options, const weights::MatrixShape& shape) {
  return weights::facts_of(options.method.form)
      .bonds.numbers(shape, static_cast<int>(options.method.sites),
                     bond_dimension_of(options, shape));
}

}  // namespace rankine::compress
