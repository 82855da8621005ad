#include "gpeps/state/evolution.hpp"

#include <fmt/format.h>

#include <algorithm>
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
                        const ProductState& start)
    : graph_(graph), owner_(std::move(owner)), ranks_(ranks), options_(options) {
  state_ = parallel::agree_on_failure(
      ranks_, [&] { return own_product_state<T>(graph_, owner_, ranks_.rank(), start); });
}

template <Scalar T>
Evolution<T>::Evolution(const lattice::Graph& graph, std::vector<int> owner,
                        const parallel::Communicator& ranks, const UpdateOptions& options,
                        int physical_dimension)
    : Evolution(graph, std::move(owner), ranks, options,
                all_zero(graph.n_sites(), physical_dimension)) {}

template <Scalar T>
Evolution<T>::Evolution(const lattice::Graph& graph, std::vector<int> owner,
                        const parallel::Communicator& ranks, const UpdateOptions& options,
                        const ArraySource& stored, int physical_dimension)
    : graph_(graph), owner_(std::move(owner)), ranks_(ranks), options_(options) {
  state_ = parallel::agree_on_failure(ranks_, [&] {
    return read_own_state<T>(stored, graph_, owner_, ranks_.rank(), ranks_.size(),
                             physical_dimension);
  });
}

template <Scalar T>
void Evolution<T>::apply(const circuit::Step& layer) {
  learn_operators(layer);
  PreparedLayer prepared = parallel::agree_on_failure(ranks_, [&] { return prepare(layer); });
  auto& [inner, cut, sent] = prepared;
  for (CutBond& bond : cut)
    bond.receipt = ranks_.receive(bond.incoming.span(), other_owner(bond), bond.gate.edge);
  const auto send = [&](CutBond& bond) {
    const std::span<const T> message = bond.outgoing.span();
    sent.push_back(
        ranks_.send(message, std::move(bond.outgoing), other_owner(bond), bond.gate.edge));
  };
  for (CutBond& bond : cut)
    if (!bond.decides) send(bond);
  // From here on a failure must not keep a message from its receiver; the next call agrees on it.
  failure_.guard([&] {
    for (const BondGate& gate : inner) update_inner(gate);
  });
  for (CutBond& bond : cut) {
    if (!bond.decides) continue;
    bond.receipt.wait();
    write_failure(bond.outgoing);
    failure_.guard([&] { decide(bond); });
    send(bond);
  }
  for (CutBond& bond : cut) {
    if (bond.decides) continue;
    bond.receipt.wait();
    failure_.guard([&] { follow(bond); });
  }
  for (parallel::Request& request : sent) request.wait();
}

/// Terms of operators are decided once, by rank 0, like cut bonds: both sides must be of one SVD.
template <Scalar T>
void Evolution<T>::learn_operators(const circuit::Step& layer) {
  std::vector<circuit::OperatorPointer> unknown;
  for (const circuit::Gate& gate : layer)
    if (gate.n_sites() == 2 && !sides_.contains(gate.op) &&
        std::ranges::find(unknown, gate.op) == unknown.end())
      unknown.push_back(gate.op);
  if (unknown.empty()) return;
  auto found = parallel::agree_on_failure(ranks_, [&] {
    std::vector<GateSides<T>> sides;
    for (const auto& op : unknown) sides.push_back(decompose<T>(*op));
    return sides;
  });
  for (std::size_t k = 0; k < unknown.size(); ++k) {
    for (GateSide<T>* side : {&found[k].a, &found[k].b}) {
      ranks_.broadcast(std::span(&side->rank, 1), 0);
      side->elements.resize(static_cast<std::size_t>(side->rank) * side->dimension *
                            side->dimension);
      ranks_.broadcast(std::span(side->elements), 0);
    }
    sides_.emplace(unknown[k], std::move(found[k]));
  }
}

/// Which end of each gate decides where its edge is cut: the rank with fewer truncations so far.
/// Every rank computes this alike, and so knows what others will do.
template <Scalar T>
std::vector<int> Evolution<T>::deciding_ends(const circuit::Step& layer) const {
  std::vector<int> ends(layer.size(), 0), truncations(static_cast<std::size_t>(ranks_.size()), 0);
  const auto count_of = [&](int site) -> int& {
    return truncations[static_cast<std::size_t>(owner_[site])];
  };
  for (const auto& [op, sites] : layer)
    if (op->n_sites() == 2 && owner_[sites[0]] == owner_[sites[1]]) ++count_of(sites[0]);
  for (std::size_t k = 0; k < layer.size(); ++k) {
    const auto& [op, sites] = layer[k];
    if (op->n_sites() == 1 || owner_[sites[0]] == owner_[sites[1]]) continue;
    ends[k] = count_of(sites[0]) <= count_of(sites[1]) ? 0 : 1;
    ++count_of(sites[ends[k]]);
  }
  return ends;
}

template <Scalar T>
typename Evolution<T>::BondGate Evolution<T>::bond_gate(const circuit::Gate& gate) const {
  return {edge_of_gate(graph_, gate), gate.sites, &sides_.at(gate.op)};
}

template <Scalar T>
typename Evolution<T>::PreparedLayer Evolution<T>::prepare(const circuit::Step& layer) {
  failure_.rethrow();
  const std::vector<int> deciding = deciding_ends(layer);
  PreparedLayer prepared;
  for (std::size_t k = 0; k < layer.size(); ++k) {
    const circuit::Gate& gate = layer[k];
    if (gate.n_sites() == 1) {
      if (owns(gate.sites[0])) apply_operator(state_.tensors[gate.sites[0]], *gate.op);
      continue;
    }
    const BondGate bond = bond_gate(gate);
    const int ends_here = owns(bond.sites[0]) + owns(bond.sites[1]);
    if (ends_here == 2) prepared.inner.push_back(bond);
    if (ends_here == 1) prepared.cut.push_back(prepare_cut(bond, deciding[k]));
  }
  prepared.sent.reserve(prepared.cut.size());
  return prepared;
}

template <Scalar T>
Matrix<T> Evolution<T>::factor(const BondGate& gate, int end) const {
  const SiteTensor<T>& tensor = state_.tensors[gate.sites[end]];
  return bond_factor<T>(tensor, tensor.leg_of(gate.edge), state_.weights[gate.edge], gate.side(end),
                        options_.route);
}

template <Scalar T>
typename Evolution<T>::CutBond Evolution<T>::prepare_cut(const BondGate& gate,
                                                         int deciding_end) const {
  CutBond bond;
  bond.gate = gate;
  bond.shape =
      bond_shape(std::ssize(state_.weights[gate.edge]), gate.sides->a.rank, options_.truncation);
  bond.mine = owns(gate.sites[0]) ? 0 : 1;
  bond.decides = bond.mine == deciding_end;
  bond.factor = factor(gate, bond.mine);
  linalg::Buffer<T> factor_message(bond.shape.factor_length()),
      half_message(bond.shape.half_length());
  if (bond.decides) {
    bond.incoming = std::move(factor_message);
    bond.outgoing = std::move(half_message);
    return bond;
  }
  write_factor(bond.factor, factor_message);
  bond.factor = {};
  bond.outgoing = std::move(factor_message);
  bond.incoming = std::move(half_message);
  return bond;
}

template <Scalar T>
void Evolution<T>::update_inner(const BondGate& gate) {
  auto bond = truncate_bond<T>(factor(gate, 0).view(), factor(gate, 1).view(),
                               state_.weights[gate.edge], options_.truncation);
  replace(gate, 0, std::as_const(bond.a).view());
  replace(gate, 1, std::as_const(bond.b).view());
  account_discarded(bond.discarded_weight);
  account(gate, std::move(bond.weights));
}

template <Scalar T>
void Evolution<T>::decide(CutBond& bond) {
  const ConstView<T> here = std::as_const(bond.factor).view(),
                     there = read_factor(bond.incoming, bond.shape);
  auto truncated = truncate_bond<T>(bond.mine == 0 ? here : there, bond.mine == 0 ? there : here,
                                    state_.weights[bond.gate.edge], options_.truncation);
  write_half(truncated, 1 - bond.mine, bond.outgoing);
  const Matrix<T>& mine = bond.mine == 0 ? truncated.a : truncated.b;
  replace(bond.gate, bond.mine, mine.view());
  account_discarded(truncated.discarded_weight);
  account(bond.gate, std::move(truncated.weights));
}

template <Scalar T>
void Evolution<T>::follow(CutBond& bond) {
  auto half = read_half(bond.incoming, bond.shape);
  if (!half) return;  // the next call throws what the other rank met
  replace(bond.gate, bond.mine, half->bond);
  account(bond.gate, std::move(half->weights));
}

template <Scalar T>
void Evolution<T>::replace(const BondGate& gate, int end, ConstView<T> bond) {
  SiteTensor<T>& tensor = state_.tensors[gate.sites[end]];
  update_site(tensor, tensor.leg_of(gate.edge), gate.side(end), bond, spare_);
}

template <Scalar T>
void Evolution<T>::account(const BondGate& gate, std::vector<Real<T>> weights) {
  state_.bond_dimension = std::max<std::int64_t>(state_.bond_dimension, std::ssize(weights));
  state_.weights[gate.edge] = std::move(weights);
}

template <Scalar T>
void Evolution<T>::account_discarded(double weight) {
  state_.discarded_weight += weight;
  state_.log_fidelity += std::log1p(-weight);
}

template <Scalar T>
TruncationRecord Evolution<T>::record() const {
  parallel::agree_on(ranks_, failure_.get());
  return {ranks_.sum(state_.discarded_weight), std::exp(ranks_.sum(state_.log_fidelity)),
          ranks_.max(state_.bond_dimension)};
}

template <Scalar T>
StateArrays Evolution<T>::arrays() const {
  return arrays_of(state_, graph_, owner_, ranks_, bond_dimensions());
}

template <Scalar T>
std::vector<std::int64_t> Evolution<T>::bond_dimensions() const {
  auto dimensions = parallel::agree_on_failure(ranks_, [&] {
    failure_.rethrow();
    std::vector<std::int64_t> own(graph_.n_edges(), 0);
    for (int edge = 0; edge < graph_.n_edges(); ++edge)
      if (owns(graph_.edge(edge).a)) own[edge] = std::ssize(state_.weights[edge]);
    return own;
  });
  ranks_.sum(std::span(dimensions));
  return dimensions;
}

template class Evolution<float>;
template class Evolution<double>;
template class Evolution<std::complex<float>>;
template class Evolution<std::complex<double>>;

}  // namespace rankine::gpeps
