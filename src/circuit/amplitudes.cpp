#include "circuit/amplitudes.hpp"

#include <algorithm>
#include <array>

#include "core/contracts.hpp"

namespace rankine::circuit {

namespace {

using Index = std::size_t;

/// Rows and columns of a small matrix on the amplitudes at base, base + offset[1], ...
template <int n>
struct Product {
  std::array<std::array<Complex, n>, n> elements;
  std::array<Index, n> offset;

  void operator()(Complex* at) const {
    std::array<Complex, n> in;
    for (int k = 0; k < n; ++k) in[k] = at[offset[k]];
    for (int row = 0; row < n; ++row) {
      Complex sum = 0;
      for (int k = 0; k < n; ++k) sum += elements[row][k] * in[k];
      at[offset[row]] = sum;
    }
  }
};

template <int n>
Product<n> product_of(const Gate& gate, std::array<Index, n> offset, bool conjugate) {
  Product<n> product{{}, offset};
  for (int row = 0; row < n; ++row)
    for (int k = 0; k < n; ++k) {
      const Complex element = (*gate.op)(row, k);
      product.elements[row][k] = conjugate ? std::conj(element) : element;
    }
  return product;
}

void apply_elements(const Gate& gate, std::span<Complex> amplitudes, int first_bit,
                    bool conjugate) {
  RANKINE_EXPECTS(gate.op->dimension() == 2, "a gate of qubits");
  const Index a = Index{1} << (first_bit + gate.sites[0]), size = amplitudes.size();
  if (gate.n_sites() == 1) {
    const auto product = product_of<2>(gate, {0, a}, conjugate);
    for (Index high = 0; high < size; high += 2 * a)
      for (Index low = 0; low < a; ++low) product(&amplitudes[high + low]);
    return;
  }
  const Index b = Index{1} << (first_bit + gate.sites[1]);
  const Index small = std::min(a, b), large = std::max(a, b);
  const auto product = product_of<4>(gate, {0, b, a, a + b}, conjugate);
  for (Index high = 0; high < size; high += 2 * large)
    for (Index middle = high; middle < high + large; middle += 2 * small)
      for (Index low = 0; low < small; ++low) product(&amplitudes[middle + low]);
}

}  // namespace

void apply_gate(const Gate& gate, std::span<Complex> amplitudes, int first_bit) {
  apply_elements(gate, amplitudes, first_bit, false);
}

void apply_conjugate_gate(const Gate& gate, std::span<Complex> amplitudes, int first_bit) {
  apply_elements(gate, amplitudes, first_bit, true);
}

}  // namespace rankine::circuit
