#include "gpeps/measurement/state_vector.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/contracts.hpp"
#include "core/errors.hpp"
#include "gpeps/measurement/amplitude_block.hpp"

namespace rankine::gpeps {

namespace {

constexpr int most_bits_of_block = 13;
/// A block begins with this many of the fastest bits, so that whole cache lines are read.
constexpr int bits_of_run = 3;

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
  AmplitudeBlock<Real> block{std::vector<Real>(size), std::vector<Real>(size)};
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
