#include "gpeps/evolution.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/errors.hpp"
#include "parallel/agreement.hpp"

namespace rankine::gpeps {

using linalg::ConstView;
using linalg::Matrix;
using linalg::Real;
using linalg::Scalar;

int edge_of_gate(const lattice::Graph& graph, const circuit::Gate& gate) {
  const int edge = graph.find_edge(gate.sites[0], gate.sites[1]);
  if (edge < 0)
    throw InputError(
        fmt::format("gate {} acts on sites {} and {}, which no edge of lattice {} joins. Choose "
                    "neighbours, or insert swap gates.",
                    gate.op->name(), gate.sites[0], gate.sites[1], graph.name()));
  return edge;
}

template <Scalar T>
Evolution<T>::Evolution(const lattice::Graph& graph, std::vector<int> owner,
                        const parallel::Communicator& ranks, const UpdateOptions& options,
                        int physical_dimension)
    : graph_(graph),
      owner_(std::move(owner)),
      ranks_(ranks),
      options_(options),
      tensors_(graph.n_sites()),
      weights_(graph.n_edges(), {Real<T>(1)}) {
  for (int site = 0; site < graph.n_sites(); ++site) {
    if (!owns(site)) continue;
    const auto edges = graph.edges_at(site);
    tensors_[site] =
        SiteTensor<T>::product_state({edges.begin(), edges.end()}, physical_dimension, 0);
  }
}

template <Scalar T>
typename Evolution<T>::BondGate Evolution<T>::bond_gate(const circuit::Gate& gate) {
  auto sides = sides_.find(gate.op);
  if (sides == sides_.end()) sides = sides_.emplace(gate.op, decompose<T>(*gate.op)).first;
  return {edge_of_gate(graph_, gate), gate.sites, &sides->second};
}

template <Scalar T>
void Evolution<T>::apply(const circuit::Step& layer) {
  std::vector<BondGate> inner;
  std::vector<CutBond> cut;
  parallel::agree_on_failure(ranks_, [&] {
    if (failure_) std::rethrow_exception(failure_);
    for (const circuit::Gate& gate : layer) {
      if (gate.n_sites() == 1) {
        if (owns(gate.sites[0])) apply_operator(tensors_[gate.sites[0]], *gate.op);
        continue;
      }
      const BondGate bond = bond_gate(gate);
      const int ends_here = owns(bond.sites[0]) + owns(bond.sites[1]);
      if (ends_here == 2) inner.push_back(bond);
      if (ends_here == 1) cut.push_back(prepare_cut(bond));
    }
  });
  // From here on a failure must not keep a message from its receiver; the next call agrees on it.
  const auto guarded = [&](const auto& work) {
    try {
      work();
    } catch (...) {
      failure_ = std::current_exception();
    }
  };
  std::vector<parallel::Request> requests = start_exchange(cut);
  guarded([&] {
    for (const BondGate& gate : inner) update_inner(gate);
  });
  for (auto& request : requests) request.wait();
  guarded([&] {
    for (const CutBond& bond : cut) update_cut(bond);
  });
}

template <Scalar T>
Matrix<T> Evolution<T>::factor(const BondGate& gate, int end) const {
  const SiteTensor<T>& tensor = tensors_[gate.sites[end]];
  return bond_factor<T>(tensor, tensor.leg_of(gate.edge), weights_[gate.edge], gate.side(end),
                        options_.route);
}

template <Scalar T>
typename Evolution<T>::CutBond Evolution<T>::prepare_cut(const BondGate& gate) const {
  const int mine = owns(gate.sites[0]) ? 0 : 1;
  // A factor has at most as many rows as columns, and both ends have as many columns.
  const std::int64_t columns = std::ssize(weights_[gate.edge]) * gate.sides->a.rank;
  CutBond bond{gate, mine, linalg::Buffer<T>(1 + columns * columns),
               linalg::Buffer<T>(1 + columns * columns)};
  const Matrix<T> own = factor(gate, mine);
  std::ranges::fill(bond.outgoing.span(), T{});
  bond.outgoing.data()[0] = static_cast<Real<T>>(own.rows());
  std::ranges::copy(own.span(), bond.outgoing.data() + 1);
  return bond;
}

template <Scalar T>
std::vector<parallel::Request> Evolution<T>::start_exchange(std::vector<CutBond>& cut) const {
  std::vector<parallel::Request> requests;
  for (CutBond& bond : cut) {
    const int other = owner_[bond.gate.sites[1 - bond.mine]];
    requests.push_back(ranks_.receive(bond.incoming.span(), other, bond.gate.edge));
  }
  for (const CutBond& bond : cut) {
    const int other = owner_[bond.gate.sites[1 - bond.mine]];
    requests.push_back(ranks_.send(bond.outgoing.span(), other, bond.gate.edge));
  }
  return requests;
}

template <Scalar T>
void Evolution<T>::update_inner(const BondGate& gate) {
  auto bond = truncate_bond<T>(factor(gate, 0).view(), factor(gate, 1).view(), weights_[gate.edge],
                               options_.truncation);
  replace(gate, 0, bond);
  replace(gate, 1, bond);
  account(gate, bond);
}

template <Scalar T>
void Evolution<T>::update_cut(const CutBond& bond) {
  const std::int64_t columns = std::ssize(weights_[bond.gate.edge]) * bond.gate.sides->a.rank;
  const auto factor_in = [columns](const linalg::Buffer<T>& message) {
    const auto rows = static_cast<std::int64_t>(std::real(message.data()[0]));
    return ConstView<T>(message.data() + 1, rows, columns);
  };
  const ConstView<T> here = factor_in(bond.outgoing), there = factor_in(bond.incoming);
  auto truncated = truncate_bond<T>(bond.mine == 0 ? here : there, bond.mine == 0 ? there : here,
                                    weights_[bond.gate.edge], options_.truncation);
  replace(bond.gate, bond.mine, truncated);
  account(bond.gate, truncated);
}

template <Scalar T>
void Evolution<T>::replace(const BondGate& gate, int end, const TruncatedBond<T>& bond) {
  SiteTensor<T>& tensor = tensors_[gate.sites[end]];
  update_site(tensor, tensor.leg_of(gate.edge), gate.side(end), end == 0 ? bond.a : bond.b, spare_);
}

template <Scalar T>
void Evolution<T>::account(const BondGate& gate, TruncatedBond<T>& bond) {
  bond_dimension_ = std::max<std::int64_t>(bond_dimension_, std::ssize(bond.weights));
  weights_[gate.edge] = std::move(bond.weights);
  if (!owns(gate.sites[0])) return;  // a cut bond counts once
  discarded_weight_ += bond.discarded_weight;
  log_fidelity_ += std::log1p(-bond.discarded_weight);
}

template <Scalar T>
TruncationRecord Evolution<T>::record() const {
  parallel::agree_on(ranks_, failure_);
  return {ranks_.sum(discarded_weight_), std::exp(ranks_.sum(log_fidelity_)),
          ranks_.max(bond_dimension_)};
}

template <Scalar T>
std::vector<std::int64_t> Evolution<T>::bond_dimensions() const {
  std::vector<std::int64_t> dimensions(graph_.n_edges(), 0);
  for (int edge = 0; edge < graph_.n_edges(); ++edge)
    if (owns(graph_.edge(edge).a)) dimensions[edge] = std::ssize(weights_[edge]);
  ranks_.sum(std::span(dimensions));
  return dimensions;
}

template class Evolution<float>;
template class Evolution<double>;
template class Evolution<std::complex<float>>;
template class Evolution<std::complex<double>>;

}  // namespace rankine::gpeps
