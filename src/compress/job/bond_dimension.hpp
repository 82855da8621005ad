// The bond dimension that a deck gives a matrix-product operator.
#pragma once

#include "compress/job/options.hpp"

namespace rankine::compress {

/// Numbers of the gates beside an operator; 0 for a form without.
std::int64_t gate_numbers_of(const CompressOptions& options, const weights::MatrixShape& shape);

/// ranks.bond_dimension, or the largest within parameter_ratio of the matrix. 0 if not even 1 fits.
std::int64_t bond_dimension_of(const CompressOptions& options, const weights::MatrixShape& shape);

/// Numbers in the cores of an operator at that bond dimension, and in its gates.
std::int64_t operator_numbers(const CompressOptions& options, const weights::MatrixShape& shape);

}  // namespace rankine::compress
