// What the two ranks of a cut bond tell each other: one sends the factor of its site, the other
// decides on the truncation and sends back what becomes of that site.
//
// Both messages have a length that both ranks know beforehand, from the bond dimension and the
// terms of the gate, so all memory is there before the first one starts.
#pragma once

#include <optional>

#include "gpeps/state/bond_update.hpp"

namespace rankine::gpeps {

/// What is known of a bond update before it is computed.
struct BondShape {
  std::int64_t columns = 0;    ///< of both factors: bond dimension times terms of the gate
  std::int64_t most_kept = 0;  ///< the new bond dimension is at most this

  std::int64_t factor_length() const { return 1 + columns * columns; }
  std::int64_t half_length() const { return 1 + most_kept * (1 + columns); }
};
BondShape bond_shape(std::int64_t bond_dimension, int terms, const linalg::Truncation& truncation);

/// The number of rows, then the elements of a factor (at most as many rows as columns).
template <linalg::Scalar T>
void write_factor(const linalg::Matrix<T>& factor, linalg::Buffer<T>& message);
template <linalg::Scalar T>
linalg::ConstView<T> read_factor(const linalg::Buffer<T>& message, const BondShape& shape);

/// What the end that does not decide needs of a truncated bond.
template <linalg::Scalar T>
struct BondHalf {
  linalg::ConstView<T> bond;  ///< what to multiply its site tensor with
  std::vector<linalg::Real<T>> weights;
};
/// The new bond dimension, the new weights, then the elements of one of `bond.a` and `bond.b`.
template <linalg::Scalar T>
void write_half(const TruncatedBond<T>& bond, int end, linalg::Buffer<T>& message);
/// Says that there is no truncated bond, since computing it failed.
template <linalg::Scalar T>
void write_failure(linalg::Buffer<T>& message);
/// Nothing when the other rank failed. `bond` lies in the message.
template <linalg::Scalar T>
std::optional<BondHalf<T>> read_half(const linalg::Buffer<T>& message, const BondShape& shape);

}  // namespace rankine::gpeps
