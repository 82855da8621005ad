#include "gpeps/state/bond_messages.hpp"

#include <stdexcept>

namespace rankine::gpeps {

using linalg::Buffer;
using linalg::ConstView;
using linalg::Matrix;
using linalg::Real;
using linalg::Scalar;

namespace {

/// Checked in every build: the next step would write beyond the memory of a message.
void require_room(bool there_is, const char* what) {
  if (!there_is)
    throw std::logic_error(
        std::string(what) +
        " does not fit the message of its bond. Please report this as a defect.");
}

template <Scalar T>
std::int64_t first_number(const Buffer<T>& message) {
  return static_cast<std::int64_t>(std::real(message.data()[0]));
}

template <Scalar T>
T* write_number(std::int64_t number, T* to) {
  *to = static_cast<Real<T>>(number);
  return to + 1;
}

}  // namespace

BondShape bond_shape(std::int64_t bond_dimension, int terms, const linalg::Truncation& truncation) {
  const std::int64_t columns = bond_dimension * terms;
  return {columns, std::min(columns, truncation.max_rank)};
}

template <Scalar T>
void write_factor(const Matrix<T>& factor, Buffer<T>& message) {
  require_room(1 + factor.size() <= message.size(), "a factor");
  T* end = std::ranges::copy(factor.span(), write_number(factor.rows(), message.data())).out;
  std::fill(end, message.data() + message.size(), T{});
}

template <Scalar T>
ConstView<T> read_factor(const Buffer<T>& message, const BondShape& shape) {
  const std::int64_t rows = first_number(message);
  require_room(rows >= 0 && rows <= shape.columns, "a factor");
  return {message.data() + 1, rows, shape.columns};
}

template <Scalar T>
void write_half(const TruncatedBond<T>& bond, int end, Buffer<T>& message) {
  const Matrix<T>& half = end == 0 ? bond.a : bond.b;
  const std::int64_t kept = std::ssize(bond.weights);
  require_room(1 + kept + half.size() <= message.size(), "a truncated bond");
  T* to = write_number(kept, message.data());
  for (const Real<T> weight : bond.weights) *to++ = weight;
  to = std::ranges::copy(half.span(), to).out;
  std::fill(to, message.data() + message.size(), T{});
}

template <Scalar T>
void write_failure(Buffer<T>& message) {
  std::ranges::fill(message.span(), T{});
}

template <Scalar T>
std::optional<BondHalf<T>> read_half(const Buffer<T>& message, const BondShape& shape) {
  const std::int64_t kept = first_number(message);
  if (kept == 0) return std::nullopt;
  require_room(kept > 0 && kept <= shape.most_kept, "a truncated bond");
  const T* next = message.data() + 1;
  BondHalf<T> half{{next + kept, shape.columns, kept}, {}};
  for (std::int64_t k = 0; k < kept; ++k) half.weights.push_back(std::real(next[k]));
  return half;
}

#define RANKINE_INSTANTIATE(T)                                              \
  template void write_factor<T>(const Matrix<T>&, Buffer<T>&);              \
  template ConstView<T> read_factor<T>(const Buffer<T>&, const BondShape&); \
  template void write_half<T>(const TruncatedBond<T>&, int, Buffer<T>&);    \
  template void write_failure<T>(Buffer<T>&);                               \
  template std::optional<BondHalf<T>> read_half<T>(const Buffer<T>&, const BondShape&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
