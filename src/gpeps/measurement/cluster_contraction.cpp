#include "gpeps/measurement/cluster_contraction.hpp"

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"
#include "gpeps/measurement/openings.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using lattice::Cluster;
using linalg::Buffer;
using linalg::Matrix;
using linalg::Real;
using linalg::Scalar;

namespace {

template <Scalar T>
class Contraction {
 public:
  Contraction(const Evolution<T>& state, const Cluster& cluster)
      : state_(state),
        cluster_(cluster),
        dimensions_(state.bond_dimensions()),
        openings_(state.graph(), cluster, dimensions_) {}

  /// <psi| string |psi> up to the norm, on every rank; an empty string gives the norm.
  std::complex<double> contract(const circuit::PauliString& string) {
    messages_.clear();
    messages_.resize(cluster_.sites.size());
    for (int p = static_cast<int>(cluster_.sites.size()) - 1; p >= 0; --p) {
      parallel::agree_on_failure(state_.ranks(), [&] {
        if (owns(p) || receives(p))
          messages_[p] = Matrix<T>(bond(p) * bond(p), openings_.n_messages(p));
        if (owns(p)) fill_messages(p, string);
      });
      pass_to_parent(p);
      for (int child : openings_.children(p)) messages_[child] = {};
    }
    return state_.ranks().sum(owns(0) ? std::complex<double>(messages_[0](0, 0)) : 0);
  }

 private:
  bool owns(int p) const { return state_.owns(cluster_.sites[p]); }
  std::int64_t bond(int p) const { return p == 0 ? 1 : dimensions_[cluster_.parent_edge[p]]; }
  int parent_owner(int p) const { return state_.owner(cluster_.sites[cluster_.parent[p]]); }
  bool receives(int p) const { return p > 0 && parent_owner(p) == state_.ranks().rank(); }

  void pass_to_parent(int p) {
    if (p == 0 || state_.owner(cluster_.sites[p]) == parent_owner(p)) return;
    if (owns(p)) {
      const std::span<const T> message = std::as_const(messages_[p]).span();
      state_.ranks().send(message, std::move(messages_[p]), parent_owner(p), p).wait();
    } else if (receives(p)) {
      state_.ranks().receive(messages_[p].span(), state_.owner(cluster_.sites[p]), p).wait();
    }
  }

  /// All messages of one site: M[k, l] of the bond to the parent, k on the bra and l on the ket
  /// side.
  void fill_messages(int p, const circuit::PauliString& string) {
    const SiteTensor<T>& site = state_.tensor(cluster_.sites[p]);
    SiteTensor<T> acted = site.copy();
    if (const auto letter = string.letters.find(cluster_.sites[p]); letter != string.letters.end())
      apply_operator(acted, circuit::pauli_operator(letter->second));
    messages_[p].fill(T{});
    std::vector<std::int64_t> slice(cluster_.closing_edges.size(), -1);
    for_each_slice(openings_.own(p), 0, slice, [&] {
      SiteTensor<T> bra = site.copy(), ket = acted.copy();
      for (int c : openings_.own(p)) {
        const std::int64_t d = dimensions_[cluster_.closing_edges[c]];
        take_slice(ket, p, c, slice[c] % d);
        take_slice(bra, p, c, slice[c] / d);
      }
      absorb_children(p, 0, ket, bra, slice);
    });
  }

  /// Runs `work` for every value of those closing edges whose slice is not set yet.
  template <class Work>
  void for_each_slice(const std::vector<int>& closing, std::size_t from,
                      std::vector<std::int64_t>& slice, const Work& work) {
    while (from < closing.size() && slice[closing[from]] >= 0) ++from;
    if (from == closing.size()) {
      work();
      return;
    }
    const int c = closing[from];
    for (slice[c] = 0; slice[c] < openings_.n_slices(c); ++slice[c])
      for_each_slice(closing, from + 1, slice, work);
    slice[c] = -1;
  }

  void absorb_children(int p, std::size_t from, const SiteTensor<T>& ket, const SiteTensor<T>& bra,
                       std::vector<std::int64_t>& slice) {
    const auto& children = openings_.children(p);
    if (from == children.size()) {
      add_to_message(p, ket, bra, openings_.message_index(p, slice));
      return;
    }
    const int child = children[from];
    for_each_slice(openings_.open(child), 0, slice, [&] {
      absorb_children(p, from + 1, absorbed(ket, child, openings_.message_index(child, slice)), bra,
                      slice);
    });
  }

  /// Fixes the leg of a closing edge. Both ends hold its weight; the first end gives it back.
  void take_slice(SiteTensor<T>& tensor, int p, int c, std::int64_t value) const {
    const int edge = cluster_.closing_edges[c];
    const int leg = tensor.leg_of(edge);
    const LegShape shape = shape_from_leg(tensor.dimensions, leg);
    const bool first = state_.graph().edge(edge).a == cluster_.sites[p];
    const T factor = first ? T(1) / state_.weights(edge)[value] : T(1);
    Buffer<T> elements(tensor.elements.size() / shape.dimension);
    T* to = elements.data();
    for (int q = 0; q < tensor.physical_dimension; ++q)
      for (std::int64_t r = 0; r < shape.right; ++r) {
        const T* from = tensor.block(q) + (r * shape.dimension + value) * shape.left;
        for (std::int64_t l = 0; l < shape.left; ++l) *to++ = factor * from[l];
      }
    tensor.elements = std::move(elements);
    tensor.dimensions[leg] = 1;
  }

  /// The ket with the message of a child in place of its leg. Both sites hold the weight of the
  /// bond, so the message gives it back once on each side.
  SiteTensor<T> absorbed(const SiteTensor<T>& ket, int child, std::int64_t index) const {
    const int edge = cluster_.parent_edge[child];
    const auto& weights = state_.weights(edge);
    const std::int64_t n = bond(child);
    const T* message = &messages_[child](0, index);
    Matrix<T> y(n, n);  // ket leg l -> bra leg k
    for (std::int64_t l = 0; l < n; ++l)
      for (std::int64_t k = 0; k < n; ++k) y(l, k) = message[k + n * l] / (weights[k] * weights[l]);
    const LegShape shape = shape_from_leg(ket.dimensions, ket.leg_of(edge));
    SiteTensor<T> out{ket.legs, ket.dimensions, ket.physical_dimension,
                      Buffer<T>(ket.elements.size())};
    for (int q = 0; q < ket.physical_dimension; ++q)
      multiply_leg<T>(ket.block(q), shape, y.view(), T(0), out.block(q), LegPlacement::in_place);
    return out;
  }

  void add_to_message(int p, const SiteTensor<T>& ket, const SiteTensor<T>& bra,
                      std::int64_t index) {
    // The root has no leg to keep: all of its legs are contracted, as one of dimension 1.
    LegShape shape{bra.block_size(), 1, 1};
    if (p > 0) shape = shape_from_leg(bra.dimensions, bra.leg_of(cluster_.parent_edge[p]));
    Matrix<T> overlap(shape.dimension, shape.dimension);
    overlap.fill(T{});
    for (int q = 0; q < bra.physical_dimension; ++q)
      add_leg_overlap(bra.block(q), ket.block(q), shape, overlap);
    T* message = &messages_[p](0, index);
    for (std::int64_t k = 0; k < overlap.size(); ++k) message[k] += overlap.data()[k];
  }

  const Evolution<T>& state_;
  const Cluster& cluster_;
  std::vector<std::int64_t> dimensions_;
  Openings openings_;
  std::vector<Matrix<T>> messages_;  ///< per site; column = combination of open slices
};

}  // namespace

template <Scalar T>
double cluster_expectation(const Evolution<T>& state, const Cluster& cluster,
                           const circuit::PauliString& string) {
  return cluster_expectations(state, cluster, {string}).front();
}

template <Scalar T>
std::vector<double> cluster_expectations(const Evolution<T>& state, const Cluster& cluster,
                                         const std::vector<circuit::PauliString>& strings) {
  Contraction<T> contraction(state, cluster);
  const double norm = contraction.contract({}).real();
  std::vector<double> values;
  for (const circuit::PauliString& string : strings) {
    const double value = contraction.contract(string).real();
    if (!std::isfinite(norm) || norm <= 0 || !std::isfinite(value))
      throw known_to_all(
          state.ranks().size(),
          NumericalError("the norm of a cluster is zero or not finite, so its string cannot be "
                         "measured. Use precision \"complex128\" or route \"qr\"."));
    values.push_back(string.sign * value / norm);
  }
  return values;
}

#define RANKINE_INSTANTIATE(T)                                                              \
  template double cluster_expectation<T>(const Evolution<T>&, const Cluster&,               \
                                         const circuit::PauliString&);                      \
  template std::vector<double> cluster_expectations<T>(const Evolution<T>&, const Cluster&, \
                                                       const std::vector<circuit::PauliString>&);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
