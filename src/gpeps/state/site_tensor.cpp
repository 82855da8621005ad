#include "gpeps/state/site_tensor.hpp"

#include <algorithm>
#include <cmath>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "core/profile.hpp"
#include "linalg/blas.hpp"

namespace rankine::gpeps {

using linalg::Buffer;
using linalg::ConstView;
using linalg::Matrix;
using linalg::Op;
using linalg::Real;
using linalg::Scalar;
using linalg::View;

template <Scalar T>
SiteTensor<T> SiteTensor<T>::product_state(std::vector<int> legs,
                                           const std::vector<std::complex<double>>& amplitudes) {
  SiteTensor tensor;
  tensor.dimensions.assign(legs.size(), 1);
  tensor.legs = std::move(legs);
  tensor.physical_dimension = static_cast<int>(amplitudes.size());
  tensor.elements = Buffer<T>(tensor.physical_dimension);
  std::ranges::transform(amplitudes, tensor.elements.data(), linalg::from_complex<T>);
  return tensor;
}

template <Scalar T>
std::int64_t SiteTensor<T>::block_size() const {
  std::int64_t size = 1;
  for (std::int64_t dimension : dimensions) size *= dimension;
  return size;
}

template <Scalar T>
int SiteTensor<T>::leg_of(int edge) const {
  const auto found = std::ranges::find(legs, edge);
  RANKINE_EXPECTS(found != legs.end(), "the edge touches the site");
  return static_cast<int>(found - legs.begin());
}

template <Scalar T>
SiteTensor<T> SiteTensor<T>::copy() const {
  SiteTensor out{legs, dimensions, physical_dimension, Buffer<T>(elements.size())};
  std::ranges::copy(elements.span(), out.elements.data());
  return out;
}

LegShape shape_from_leg(const std::vector<std::int64_t>& dimensions, int leg) {
  LegShape shape{1, dimensions[leg], 1};
  for (int k = 0; k < leg; ++k) shape.left *= dimensions[k];
  for (std::size_t k = leg + 1; k < dimensions.size(); ++k) shape.right *= dimensions[k];
  return shape;
}

template <Scalar T>
void multiply_leg(const T* in, LegShape shape, ConstView<std::type_identity_t<T>> y, T beta, T* out,
                  LegPlacement placement) {
  const auto [left, dimension, right] = shape;
  const std::int64_t columns = y.columns;
  if (left == 1 && placement == LegPlacement::cyclic) {
    linalg::gemm<T>(Op::transpose, Op::none, T(1), ConstView<T>(in, dimension, right), y, beta,
                    View<T>(out, right, columns));
  } else if (left == 1) {
    linalg::gemm<T>(Op::transpose, Op::none, T(1), y, ConstView<T>(in, dimension, right), beta,
                    View<T>(out, columns, right));
  } else {
    for (std::int64_t r = 0; r < right; ++r)
      linalg::gemm<T>(Op::none, Op::none, T(1),
                      ConstView<T>(in + r * left * dimension, left, dimension), y, beta,
                      View<T>(out + r * left * columns, left, columns));
  }
}

template <Scalar T>
void add_leg_overlap(const T* a, const T* b, LegShape shape, Matrix<T>& overlap) {
  const auto [left, dimension, right] = shape;
  if (left == 1) {
    // The product gives the conjugated transpose of what is wanted: overlap += (B A^H)^T.
    Matrix<T> product(dimension, dimension);
    linalg::gemm<T>(Op::none, Op::adjoint, T(1), ConstView<T>(b, dimension, right),
                    ConstView<T>(a, dimension, right), T(0), product.view());
    for (std::int64_t l = 0; l < dimension; ++l)
      for (std::int64_t k = 0; k < dimension; ++k) overlap(k, l) += product(l, k);
    return;
  }
  for (std::int64_t r = 0; r < right; ++r) {
    const std::int64_t offset = r * left * dimension;
    linalg::gemm<T>(Op::adjoint, Op::none, T(1), ConstView<T>(a + offset, left, dimension),
                    ConstView<T>(b + offset, left, dimension), T(1), overlap.view());
  }
}

template <Scalar T>
Matrix<T> leg_gram(const T* block, LegShape shape) {
  const auto [left, dimension, right] = shape;
  Matrix<T> gram(dimension, dimension);
  if (left == 1) {
    linalg::herk<T>(Op::none, ConstView<T>(block, dimension, right), Real<T>(0), gram.view());
    for (std::int64_t l = 0; l < dimension; ++l)
      for (std::int64_t k = 0; k <= l; ++k) gram(k, l) = linalg::conjugate(gram(k, l));
    return gram;
  }
  for (std::int64_t r = 0; r < right; ++r)
    linalg::herk<T>(Op::adjoint, ConstView<T>(block + r * left * dimension, left, dimension),
                    Real<T>(r == 0 ? 0 : 1), gram.view());
  return gram;
}

template <Scalar T>
void apply_operator(SiteTensor<T>& tensor, const circuit::Operator& op) {
  const int d = tensor.physical_dimension;
  RANKINE_EXPECTS(op.n_sites() == 1 && op.dimension() == d, "the operator fits the site");
  const std::int64_t size = tensor.block_size();
  const ProfileStage stage("one-site gates", Flops::counted);
  count_flops((linalg::is_complex<T> ? 8.0 : 2.0) * d * d * static_cast<double>(size));
  std::vector<T> u(d * d);
  for (int k = 0; k < d * d; ++k) u[k] = linalg::from_complex<T>(op(k / d, k % d));
  if (d == 2) {
    T* __restrict zero = tensor.block(0);
    T* __restrict one = tensor.block(1);
    for (std::int64_t k = 0; k < size; ++k) {
      const T a = zero[k], b = one[k];
      zero[k] = u[0] * a + u[1] * b;
      one[k] = u[2] * a + u[3] * b;
    }
    return;
  }
  std::vector<T> column(d);
  for (std::int64_t k = 0; k < size; ++k) {
    for (int q = 0; q < d; ++q) column[q] = tensor.block(q)[k];
    for (int q = 0; q < d; ++q) {
      T sum{};
      for (int p = 0; p < d; ++p) sum += u[q * d + p] * column[p];
      tensor.block(q)[k] = sum;
    }
  }
}

template <Scalar T>
std::vector<std::complex<double>> one_site_density(const SiteTensor<T>& tensor) {
  const int d = tensor.physical_dimension;
  const std::int64_t size = tensor.block_size();
  std::vector<std::complex<double>> density(d * d);
  double trace = 0;
  for (int q = 0; q < d; ++q) {
    for (int p = 0; p <= q; ++p) {
      const T *x = tensor.block(q), *y = tensor.block(p);
      // Partial sums keep single precision tensors accurate.
      std::complex<double> sum = 0;
      for (std::int64_t begin = 0; begin < size; begin += 256) {
        T part{};
        for (std::int64_t k = begin; k < std::min(begin + 256, size); ++k)
          part += x[k] * linalg::conjugate(y[k]);
        sum += std::complex<double>(part);
      }
      density[q * d + p] = sum;
      density[p * d + q] = std::conj(sum);
    }
    trace += density[q * d + q].real();
  }
  if (!std::isfinite(trace) || trace <= 0)
    throw NumericalError(
        "a site tensor is zero or not finite, so nothing can be measured on it. Use precision "
        "\"complex128\" or route \"qr\".");
  for (auto& element : density) element /= trace;
  return density;
}

template <Scalar T>
double expectation(const SiteTensor<T>& tensor, const circuit::Operator& op) {
  const int d = tensor.physical_dimension;
  const auto density = one_site_density(tensor);
  std::complex<double> sum = 0;
  for (int q = 0; q < d; ++q)
    for (int p = 0; p < d; ++p) sum += op(p, q) * density[q * d + p];
  return sum.real();
}

#define RANKINE_INSTANTIATE(T)                                                                 \
  template struct SiteTensor<T>;                                                               \
  template void multiply_leg<T>(const T*, LegShape, ConstView<std::type_identity_t<T>>, T, T*, \
                                LegPlacement);                                                 \
  template void add_leg_overlap<T>(const T*, const T*, LegShape, Matrix<T>&);                  \
  template Matrix<T> leg_gram<T>(const T*, LegShape);                                          \
  template void apply_operator<T>(SiteTensor<T>&, const circuit::Operator&);                   \
  template std::vector<std::complex<double>> one_site_density<T>(const SiteTensor<T>&);        \
  template double expectation<T>(const SiteTensor<T>&, const circuit::Operator&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
