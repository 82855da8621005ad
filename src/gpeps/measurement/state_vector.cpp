#include "gpeps/measurement/state_vector.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::gpeps {

namespace {

constexpr int most_bits_of_block = 13;
/// A block begins with this many of the fastest bits, so that whole cache lines are read.
constexpr int bits_of_run = 3;

/// A block of amplitudes, real and imaginary parts apart so that loops over it are vectorised.
template <class Real>
struct Block {
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
void apply_one_site(Block<Real>& block, const circuit::Operator& op, int p) {
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
void apply_two_sites(Block<Real>& block, const circuit::Operator& op, int p, int q) {
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
void apply_diagonal(Block<Real>& block, std::int64_t first, std::int64_t size, int p,
                    std::complex<Real> at_zero, std::complex<Real> at_one) {
  for (int value : {0, 1})
    for_runs(first, size, p, value, [&](std::int64_t at, std::int64_t length) {
      multiply(&block.re[at], &block.im[at], length, value == 0 ? at_zero : at_one);
    });
}

/// A diagonal gate. `bits` are its positions in the block, or -1 with the value in `fixed`.
template <class Real>
void apply_diagonal(Block<Real>& block, const circuit::Operator& op, const std::vector<int>& bits,
                    const std::vector<int>& fixed) {
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

/// The number whose bits at `places` are those of `index`, in order.
std::int64_t spread_bits(std::int64_t index, const std::vector<int>& places) {
  std::int64_t out = 0;
  for (std::size_t k = 0; k < places.size(); ++k) out |= (index >> k & 1) << places[k];
  return out;
}

}  // namespace

template <class Real>
StateVector<Real>::StateVector(std::vector<int> sites)
    : sites_(std::move(sites)), amplitudes_(std::int64_t{1} << sites_.size()) {
  RANKINE_EXPECTS(sites_.size() <= 40, "more amplitudes than any memory holds");
  std::ranges::fill(amplitudes_.span(), Amplitude{});
  amplitudes_.data()[0] = 1;
}

template <class Real>
int StateVector<Real>::bit(int site) const {
  const auto found = std::ranges::find(sites_, site);
  RANKINE_EXPECTS(found != sites_.end(), "a gate or letter stands on a site of the state");
  return static_cast<int>(found - sites_.begin());
}

/// Takes from `pending` all gates that one pass can apply without overtaking another.
template <class Real>
typename StateVector<Real>::Pass StateVector<Real>::next_pass(
    std::vector<GateHere>& pending) const {
  const auto n = static_cast<int>(sites_.size());
  const int most = std::min(n, most_bits_of_block);
  std::vector<bool> inside(n, false), blocked(n, false);
  for (int p = 0; p < std::min(n, bits_of_run); ++p) inside[p] = true;
  Pass pass;
  std::vector<GateHere> left;
  for (GateHere& gate : pending) {
    std::vector<bool> wider = inside;
    if (!gate.op->is_diagonal())
      for (int p : gate.bits) wider[p] = true;
    const bool fits = std::ranges::none_of(gate.bits, [&](int p) { return blocked[p]; }) &&
                      std::ranges::count(wider, true) <= most;
    if (fits) {
      inside = std::move(wider);
      pass.gates.push_back(std::move(gate));
    } else {
      for (int p : gate.bits) blocked[p] = true;
      left.push_back(std::move(gate));
    }
  }
  pending = std::move(left);
  auto count = std::ranges::count(inside, true);
  for (int p = 0; count < most; ++p)
    if (!inside[p]) {
      inside[p] = true;
      ++count;
    }
  for (int p = 0; p < n; ++p)
    if (inside[p]) pass.bits.push_back(p);
  return pass;
}

template <class Real>
void StateVector<Real>::apply(const circuit::Step& gates) {
  std::vector<GateHere> pending;
  for (const circuit::Gate& gate : gates) {
    GateHere here{gate.op.get(), {}};
    for (int k = 0; k < gate.n_sites(); ++k) here.bits.push_back(bit(gate.sites[k]));
    pending.push_back(std::move(here));
  }
  while (!pending.empty()) run(next_pass(pending));
}

template <class Real>
void StateVector<Real>::run(const Pass& pass) {
  std::vector<int> outside;
  for (int p = 0; p < std::ssize(sites_); ++p)
    if (!std::ranges::binary_search(pass.bits, p)) outside.push_back(p);
  const std::int64_t size = std::int64_t{1} << pass.bits.size();
  std::vector<std::int64_t> offset(size);
  for (std::int64_t k = 0; k < size; ++k) offset[k] = spread_bits(k, pass.bits);
  std::vector<std::vector<int>> bits;  // of each gate, within the block
  for (const GateHere& gate : pass.gates) {
    bits.emplace_back();
    for (int p : gate.bits) {
      const auto found = std::ranges::lower_bound(pass.bits, p);
      const bool is_inside = found != pass.bits.end() && *found == p;
      bits.back().push_back(is_inside ? static_cast<int>(found - pass.bits.begin()) : -1);
    }
  }
  Block<Real> block{std::vector<Real>(size), std::vector<Real>(size)};
  for (std::int64_t b = 0; b < std::int64_t{1} << outside.size(); ++b) {
    const std::int64_t base = spread_bits(b, outside);
    Amplitude* from = amplitudes_.data() + base;
    for (std::int64_t k = 0; k < size; ++k) {
      block.re[k] = from[offset[k]].real();
      block.im[k] = from[offset[k]].imag();
    }
    for (std::size_t g = 0; g < pass.gates.size(); ++g) {
      const GateHere& gate = pass.gates[g];
      if (gate.op->is_diagonal()) {
        std::vector<int> fixed;
        for (int p : gate.bits) fixed.push_back(static_cast<int>(base >> p & 1));
        apply_diagonal(block, *gate.op, bits[g], fixed);
      } else if (gate.bits.size() == 1) {
        apply_one_site(block, *gate.op, bits[g][0]);
      } else {
        apply_two_sites(block, *gate.op, bits[g][0], bits[g][1]);
      }
    }
    for (std::int64_t k = 0; k < size; ++k) from[offset[k]] = {block.re[k], block.im[k]};
  }
}

template <class Real>
double StateVector<Real>::expectation(const circuit::PauliString& string) const {
  // P |k> = i^(number of Y) (-1)^(bits of k at Z and Y) |k with the bits at X and Y turned>.
  std::uint64_t turned = 0, signed_bits = 0;
  int n_y = 0;
  for (const auto& [site, letter] : string.letters) {
    const std::uint64_t mask = std::uint64_t{1} << bit(site);
    if (letter != 'Z') turned |= mask;
    if (letter != 'X') signed_bits |= mask;
    n_y += letter == 'Y';
  }
  const auto n = static_cast<std::uint64_t>(amplitudes_.size());
  const std::uint64_t chunk = std::min<std::uint64_t>(n, 4096);  // so that sums keep their digits
  std::complex<double> sum = 0;
  double norm = 0;
  const Amplitude* psi = amplitudes_.data();
  for (std::uint64_t first = 0; first < n; first += chunk) {
    double re = 0, im = 0, weight = 0;
    for (std::uint64_t k = first; k < first + chunk; ++k) {
      const double sign = 1.0 - 2.0 * (std::popcount(k & signed_bits) & 1);
      const auto a = psi[k ^ turned], b = psi[k];
      re += sign * (double(a.real()) * b.real() + double(a.imag()) * b.imag());
      im += sign * (double(a.real()) * b.imag() - double(a.imag()) * b.real());
      weight += double(b.real()) * b.real() + double(b.imag()) * b.imag();
    }
    sum += std::complex<double>(re, im);
    norm += weight;
  }
  static constexpr std::complex<double> power_of_i[4] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
  const double value = (power_of_i[n_y % 4] * sum).real() / norm;
  if (!std::isfinite(value))
    throw NumericalError(
        "a state vector is zero or not finite, so nothing can be measured on it. Use gates that "
        "are unitary, or precision \"complex128\".");
  return string.sign * value;
}

double state_vector_flops(int n_sites, double n_gates) {
  constexpr double flops_per_amplitude = 40;  // a nanosecond
  return flops_per_amplitude * n_gates * std::ldexp(1.0, std::min(n_sites, 900));
}

double state_vector_flops(int n_sites, const circuit::Circuit& circuit) {
  double n_gates = 1;  // reading
  for (const auto& step : circuit.steps)
    for (const circuit::Gate& gate : step)
      n_gates += gate.is_diagonal() ? 0.6 : gate.n_sites() == 1 ? 1.0 : 2.5;
  return state_vector_flops(n_sites, n_gates);
}

template class StateVector<float>;
template class StateVector<double>;

}  // namespace rankine::gpeps
