// The four scalar types of the library and what generic code needs to know about them.
#pragma once

#include <complex>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace rankine::linalg {

template <class T>
concept Scalar = std::same_as<T, float> || std::same_as<T, double> ||
    std::same_as<T, std::complex<float>> || std::same_as<T, std::complex<double>>;

template <class T>
struct RealType {
  using type = T;
};
template <class T>
struct RealType<std::complex<T>> {
  using type = T;
};
/// The real type beneath T: float or double.
template <Scalar T>
using Real = typename RealType<T>::type;

template <Scalar T>
inline constexpr bool is_complex = !std::is_same_v<T, Real<T>>;

template <Scalar T>
constexpr T conjugate(T value) {
  if constexpr (is_complex<T>)
    return std::conj(value);
  else
    return value;
}

/// |value|^2 without a square root.
template <Scalar T>
constexpr Real<T> squared_magnitude(T value) {
  if constexpr (is_complex<T>)
    return std::norm(value);
  else
    return value * value;
}

/// Converts from complex<double>; a real T drops the imaginary part (callers make sure it is zero).
template <Scalar T>
constexpr T from_complex(std::complex<double> value) {
  if constexpr (is_complex<T>)
    return T(static_cast<Real<T>>(value.real()), static_cast<Real<T>>(value.imag()));
  else
    return static_cast<T>(value.real());
}

}  // namespace rankine::linalg
