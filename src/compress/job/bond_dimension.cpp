#include "compress/job/bond_dimension.hpp"

namespace rankine::compress {

namespace {

const weights::BondCost& cost_of(const CompressOptions& options) {
  return weights::facts_of(options.method.form).bonds;
}

}  // namespace

std::int64_t gate_numbers_of(const CompressOptions& options, const weights::MatrixShape& shape) {
  if (options.method.form != weights::Form::disentangled) return 0;
  std::int64_t numbers = 0;
  for (const std::int64_t width : {shape.rows, shape.columns})
    numbers += weights::gate_numbers(weights::brickwork(options.disentangler.circuit(), width));
  return numbers;
}

std::int64_t bond_dimension_of(const CompressOptions& options, const weights::MatrixShape& shape) {
  if (options.ranks.bond_dimension > 0) return options.ranks.bond_dimension;
  const auto budget = static_cast<std::int64_t>(options.ranks.parameter_ratio *
                                                static_cast<double>(shape.dense_numbers()));
  return cost_of(options).largest(shape, static_cast<int>(options.method.sites),
                                  budget - gate_numbers_of(options, shape));
}

std::int64_t operator_numbers(const CompressOptions& options, const weights::MatrixShape& shape) {
  return cost_of(options).numbers(shape, static_cast<int>(options.method.sites),
                                  bond_dimension_of(options, shape)) +
         gate_numbers_of(options, shape);
}

}  // namespace rankine::compress
