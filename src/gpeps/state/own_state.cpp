#include "gpeps/state/own_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"

namespace rankine::gpeps {

using linalg::Real;
using linalg::Scalar;

namespace {

void check_product_state(const ProductState& sites, int n_sites, bool may_be_complex) {
  if (std::ssize(sites) != n_sites)
    throw InputError(
        fmt::format("a product state has {} vectors, but the lattice has {} sites. Give each site "
                    "one.",
                    sites.size(), n_sites));
  for (int site = 0; site < n_sites; ++site) {
    const auto& vector = sites[site];
    const auto refuse = [&](const char* why) {
      throw InputError(
          fmt::format("a product state cannot be used, site {} ({}). Give each site a vector that "
                      "is finite and not zero.",
                      site, why));
    };
    double norm = 0;
    for (const auto& element : vector) norm += std::norm(element);
    if (vector.size() != sites.front().size()) refuse("its vector has another length than others");
    if (!std::isfinite(norm)) refuse("its vector is not finite");
    if (!(norm > 0)) refuse("its vector is zero");
    if (!may_be_complex &&
        std::ranges::any_of(vector, [](const auto& element) { return element.imag() != 0; }))
      refuse("its vector is complex, but the numbers of the state are real");
  }
}

}  // namespace

ProductState all_zero(int n_sites, int physical_dimension) {
  std::vector<std::complex<double>> zero(physical_dimension, 0);
  zero.front() = 1;
  return ProductState(n_sites, zero);
}

template <Scalar T>
OwnState<T> own_product_state(const lattice::Graph& graph, const std::vector<int>& owner, int rank,
                              const ProductState& sites) {
  check_product_state(sites, graph.n_sites(), linalg::is_complex<T>);
  OwnState<T> state;
  state.tensors.resize(graph.n_sites());
  state.weights.assign(graph.n_edges(), {Real<T>(1)});
  state.physical_dimension = static_cast<int>(sites.front().size());
  for (int site = 0; site < graph.n_sites(); ++site) {
    if (owner[site] != rank) continue;
    const auto edges = graph.edges_at(site);
    state.tensors[site] = SiteTensor<T>::product_state({edges.begin(), edges.end()}, sites[site]);
  }
  return state;
}

#define RANKINE_INSTANTIATE(T)                                                                   \
  template OwnState<T> own_product_state<T>(const lattice::Graph&, const std::vector<int>&, int, \
                                            const ProductState&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
