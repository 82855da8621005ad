#include "gpeps/observables.hpp"

#include <cmath>

#include "core/errors.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using linalg::Buffer;
using linalg::Matrix;
using linalg::Real;
using linalg::Scalar;

template <Scalar T>
std::vector<double> site_expectations(const Evolution<T>& state, const circuit::Operator& op) {
  const int n_sites = state.graph().n_sites();
  std::vector<double> values(n_sites, 0);
  parallel::agree_on_failure(state.ranks(), [&] {
    for (int site = 0; site < n_sites; ++site)
      if (state.owns(site)) values[site] = expectation(state.tensor(site), op);
  });
  state.ranks().sum(std::span(values));
  return values;
}

template <Scalar T>
double site_expectation(const Evolution<T>& state, int site, const circuit::Operator& op) {
  const double value = parallel::agree_on_failure(
      state.ranks(), [&] { return state.owns(site) ? expectation(state.tensor(site), op) : 0.0; });
  return state.ranks().sum(value);
}

namespace {

/// Contracts a tree from its leaves to its root, every site on the rank that owns it. A message
/// M[k, l] on the edge to the parent holds the contracted branch, k on the bra and l on the ket
/// side.
template <Scalar T>
class TreeContraction {
 public:
  TreeContraction(const Evolution<T>& state, const lattice::TreeCluster& cluster)
      : state_(state), cluster_(cluster), children_(cluster.sites.size()) {
    for (std::size_t p = 1; p < cluster.sites.size(); ++p)
      children_[cluster.parent[p]].push_back(static_cast<int>(p));
  }

  /// <psi| string |psi> up to the norm, on every rank; an empty string gives the norm.
  std::complex<double> contract(const circuit::PauliString& string) const {
    std::vector<Matrix<T>> messages(cluster_.sites.size());
    for (int p = static_cast<int>(cluster_.sites.size()) - 1; p >= 0; --p) {
      const int site = cluster_.sites[p];
      parallel::agree_on_failure(state_.ranks(), [&] {
        if (state_.owns(site))
          messages[p] = message(p, messages, string);
        else if (receives(p))
          messages[p] = Matrix<T>(bond(p), bond(p));
      });
      pass_to_parent(p, messages[p]);
    }
    std::complex<double> value =
        state_.owns(cluster_.sites[0]) ? std::complex<double>(messages[0](0, 0)) : 0;
    return state_.ranks().sum(value);
  }

 private:
  std::int64_t bond(int p) const { return std::ssize(state_.weights(cluster_.parent_edge[p])); }
  int parent_owner(int p) const { return state_.owner(cluster_.sites[cluster_.parent[p]]); }
  bool receives(int p) const { return p > 0 && parent_owner(p) == state_.ranks().rank(); }

  void pass_to_parent(int p, Matrix<T>& message) const {
    const int from = state_.owner(cluster_.sites[p]);
    if (p == 0 || from == parent_owner(p)) return;
    if (from == state_.ranks().rank())
      state_.ranks().send(std::as_const(message).span(), parent_owner(p), p).wait();
    else if (receives(p))
      state_.ranks().receive(message.span(), from, p).wait();
  }

  Matrix<T> message(int p, const std::vector<Matrix<T>>& messages,
                    const circuit::PauliString& string) const {
    const SiteTensor<T>& bra = state_.tensor(cluster_.sites[p]);
    SiteTensor<T> ket = bra.copy();
    if (const auto letter = string.letters.find(cluster_.sites[p]); letter != string.letters.end())
      apply_operator(ket, circuit::pauli_operator(letter->second));
    for (int child : children_[p]) absorb(ket, cluster_.parent_edge[child], messages[child]);
    // The root has no leg to keep: all of its legs are contracted, as one of dimension 1.
    LegShape shape{bra.block_size(), 1, 1};
    if (p > 0) shape = shape_from_leg(bra.dimensions, bra.leg_of(cluster_.parent_edge[p]));
    Matrix<T> out(shape.dimension, shape.dimension);
    out.fill(T{});
    for (int q = 0; q < bra.physical_dimension; ++q)
      add_leg_overlap(bra.block(q), ket.block(q), shape, out);
    return out;
  }

  /// Both site tensors of an inner edge hold its weight, so the message gives it back once on each
  /// side.
  void absorb(SiteTensor<T>& ket, int edge, const Matrix<T>& message) const {
    const auto& weights = state_.weights(edge);
    const std::int64_t n = message.rows();
    Matrix<T> y(n, n);  // ket leg l -> bra leg k
    for (std::int64_t l = 0; l < n; ++l)
      for (std::int64_t k = 0; k < n; ++k) y(l, k) = message(k, l) / (weights[k] * weights[l]);
    const int leg = ket.leg_of(edge);
    const LegShape shape = shape_from_leg(ket.dimensions, leg);
    Buffer<T> elements(ket.elements.size());
    for (int q = 0; q < ket.physical_dimension; ++q)
      multiply_leg<T>(ket.block(q), shape, y.view(), T(0), elements.data() + q * ket.block_size(),
                      LegPlacement::in_place);
    ket.elements = std::move(elements);
  }

  const Evolution<T>& state_;
  const lattice::TreeCluster& cluster_;
  std::vector<std::vector<int>> children_;
};

}  // namespace

template <Scalar T>
double cluster_expectation(const Evolution<T>& state, const lattice::TreeCluster& cluster,
                           const circuit::PauliString& string) {
  const TreeContraction<T> contraction(state, cluster);
  const double norm = contraction.contract({}).real();
  const double value = contraction.contract(string).real();
  if (!std::isfinite(norm) || norm <= 0 || !std::isfinite(value))
    throw NumericalError(
        "the norm of a cluster is zero or not finite, so its string cannot be measured. Use "
        "precision \"complex128\" or route \"qr\".");
  return string.sign * value / norm;
}

#define RANKINE_INSTANTIATE(T)                                                             \
  template std::vector<double> site_expectations<T>(const Evolution<T>&,                   \
                                                    const circuit::Operator&);             \
  template double site_expectation<T>(const Evolution<T>&, int, const circuit::Operator&); \
  template double cluster_expectation<T>(const Evolution<T>&, const lattice::TreeCluster&, \
                                         const circuit::PauliString&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
