// Gates on a block of a state vector: some amplitudes that lie in the cache.
#pragma once

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <vector>

#include "circuit/gate.hpp"

namespace rankine::gpeps {

/// A block of amplitudes, real and imaginary parts apart so that loops over it are vectorised.
template <class Real>
struct AmplitudeBlock {
  std::vector<Real> re, im;
};

template <class Real>
void multiply(Real* re, Real* im, std::int64_t size, std::complex<Real> factor) {
  const Real c = factor.real(), s = factor.imag();
  for (std::int64_t k = 0; k < size; ++k) {
    const Real r = re[k];
    re[k] = c * r - s * im[k];
    im[k] = c * im[k] + s * r;
  }
}

/// Elements of an operator in the precision of the state.
template <class Real>
std::complex<Real> element(const circuit::Operator& op, int row, int column) {
  return std::complex<Real>(op(row, column));
}

/// Runs `work(first index, length)` over the runs of the block in which bit p has the value given.
template <class Work>
void for_runs(std::int64_t first, std::int64_t size, int p, int value, const Work& work) {
  const std::int64_t stride = std::int64_t{1} << p;
  for (std::int64_t at = first + value * stride; at < first + size; at += 2 * stride)
    work(at, stride);
}

template <class Real>
void apply_one_site(AmplitudeBlock<Real>& block, const circuit::Operator& op, int p) {
  const std::int64_t stride = std::int64_t{1} << p;
  std::array<Real, 4> c{}, s{};
  for (int k = 0; k < 4; ++k) {
    c[k] = element<Real>(op, k / 2, k % 2).real();
    s[k] = element<Real>(op, k / 2, k % 2).imag();
  }
  for_runs(0, std::ssize(block.re), p, 0, [&](std::int64_t at, std::int64_t length) {
    Real *r0 = &block.re[at], *i0 = &block.im[at], *r1 = r0 + stride, *i1 = i0 + stride;
    for (std::int64_t k = 0; k < length; ++k) {
      const Real a = r0[k], b = i0[k], x = r1[k], y = i1[k];
      r0[k] = c[0] * a - s[0] * b + c[1] * x - s[1] * y;
      i0[k] = c[0] * b + s[0] * a + c[1] * y + s[1] * x;
      r1[k] = c[2] * a - s[2] * b + c[3] * x - s[3] * y;
      i1[k] = c[2] * b + s[2] * a + c[3] * y + s[3] * x;
    }
  });
}

/// A gate on bits p (slow in the operator's index) and q.
template <class Real>
void apply_two_sites(AmplitudeBlock<Real>& block, const circuit::Operator& op, int p, int q) {
  std::array<std::complex<Real>, 16> u;
  for (int k = 0; k < 16; ++k) u[k] = element<Real>(op, k / 4, k % 4);
  const std::int64_t offset[4] = {0, std::int64_t{1} << q, std::int64_t{1} << p,
                                  (std::int64_t{1} << p) + (std::int64_t{1} << q)};
  const int high = std::max(p, q), low = std::min(p, q);
  for_runs(0, std::ssize(block.re), high, 0, [&](std::int64_t first, std::int64_t size) {
    for_runs(first, size, low, 0, [&](std::int64_t at, std::int64_t length) {
      for (std::int64_t k = at; k < at + length; ++k) {
        Real re[4], im[4];
        for (int column = 0; column < 4; ++column) {
          re[column] = block.re[k + offset[column]];
          im[column] = block.im[k + offset[column]];
        }
        for (int row = 0; row < 4; ++row) {
          Real r = 0, i = 0;
          for (int column = 0; column < 4; ++column) {
            const auto& z = u[4 * row + column];
            r += z.real() * re[column] - z.imag() * im[column];
            i += z.real() * im[column] + z.imag() * re[column];
          }
          block.re[k + offset[row]] = r;
          block.im[k + offset[row]] = i;
        }
      }
    });
  });
}

template <class Real>
void apply_diagonal(AmplitudeBlock<Real>& block, std::int64_t first, std::int64_t size, int p,
                    std::complex<Real> at_zero, std::complex<Real> at_one) {
  for (int value : {0, 1})
    for_runs(first, size, p, value, [&](std::int64_t at, std::int64_t length) {
      multiply(&block.re[at], &block.im[at], length, value == 0 ? at_zero : at_one);
    });
}

/// A diagonal gate. `bits` are its positions in the block, or -1 with the value in `fixed`.
template <class Real>
void apply_diagonal(AmplitudeBlock<Real>& block, const circuit::Operator& op,
                    const std::vector<int>& bits, const std::vector<int>& fixed) {
  const auto size = std::ssize(block.re);
  const auto factor = [&](int a, int b) {
    const int index = bits.size() == 1 ? a : 2 * a + b;
    return element<Real>(op, index, index);
  };
  const int p = bits[0], q = bits.size() == 1 ? -1 : bits[1];
  const int a = fixed[0], b = bits.size() == 1 ? 0 : fixed[1];
  if (p < 0 && q < 0) {
    multiply(block.re.data(), block.im.data(), size, factor(a, b));
  } else if (q < 0) {
    apply_diagonal(block, 0, size, p, factor(0, b), factor(1, b));
  } else if (p < 0) {
    apply_diagonal(block, 0, size, q, factor(a, 0), factor(a, 1));
  } else {
    for (int value : {0, 1})
      for_runs(0, size, std::max(p, q), value, [&](std::int64_t at, std::int64_t length) {
        const bool slow_is_high = p > q;
        apply_diagonal(block, at, length, std::min(p, q),
                       slow_is_high ? factor(value, 0) : factor(0, value),
                       slow_is_high ? factor(value, 1) : factor(1, value));
      });
  }
}

}  // namespace rankine::gpeps
