// A state on a lattice whose sites are spread over ranks, and its evolution by gates (simple
// update).
#pragma once

#include <array>
#include <map>
#include <vector>

#include "circuit/circuit.hpp"
#include "gpeps/state/bond_messages.hpp"
#include "gpeps/state/own_state.hpp"
#include "gpeps/state/state_arrays.hpp"
#include "lattice/graph.hpp"
#include "parallel/agreement.hpp"
#include "parallel/communicator.hpp"

namespace rankine::gpeps {

/// The edge a two-site gate acts on. InputError when its sites are no neighbours.
int edge_of_gate(const lattice::Graph& graph, const circuit::Gate& gate);

struct UpdateOptions {
  linalg::Truncation truncation;
  Route route = Route::gram;
};

/// What truncation has cost so far, over all bonds of all ranks.
struct TruncationRecord {
  double discarded_weight = 0;      ///< sum of the relative discarded weights of all bond updates
  double fidelity = 1;              ///< product of (1 - discarded weight)
  std::int64_t bond_dimension = 1;  ///< the largest bond dimension a bond has had
};

/// Owns the tensors of the sites that `owner` gives to this rank and the weights of all edges at
/// them. The result of every method is the same for any assignment of sites to ranks; methods
/// marked collective are called by all ranks.
template <linalg::Scalar T>
class Evolution {
 public:
  /// Collective. Starts in a product state. `graph` and `ranks` must outlive the object. InputError
  /// as own_product_state, on all ranks.
  Evolution(const lattice::Graph& graph, std::vector<int> owner,
            const parallel::Communicator& ranks, const UpdateOptions& options,
            const ProductState& start);
  /// The same in |0...0>.
  Evolution(const lattice::Graph& graph, std::vector<int> owner,
            const parallel::Communicator& ranks, const UpdateOptions& options,
            int physical_dimension = 2);
  /// Collective. Goes on from what `arrays` were stored of. InputError as read_own_state, on all
  /// ranks.
  Evolution(const lattice::Graph& graph, std::vector<int> owner,
            const parallel::Communicator& ranks, const UpdateOptions& options,
            const ArraySource& stored, int physical_dimension = 2);

  /// Collective. Applies gates that share no site (a layer of circuit::layers). InputError: a
  /// two-site gate does not stand on an edge. NumericalError, ResourceError: on all ranks when one
  /// of them fails, at the latest in the next collective call.
  void apply(const circuit::Step& layer);

  /// Collective. The record over all ranks.
  TruncationRecord record() const;

  /// Collective. All that the state is made of, in the memory it has now.
  StateArrays arrays() const;

  const lattice::Graph& graph() const { return graph_; }
  const parallel::Communicator& ranks() const { return ranks_; }
  int owner(int site) const { return owner_[site]; }
  bool owns(int site) const { return owner_[site] == ranks_.rank(); }
  /// The tensor of a site this rank owns.
  const SiteTensor<T>& tensor(int site) const { return state_.tensors[site]; }
  /// Weights of an edge at a site this rank owns.
  const std::vector<linalg::Real<T>>& weights(int edge) const { return state_.weights[edge]; }
  /// Collective. The bond dimension of every edge, on every rank.
  std::vector<std::int64_t> bond_dimensions() const;

 private:
  /// A two-site gate on its edge, with the legs it acts on.
  struct BondGate {
    int edge = -1;
    std::array<int, 2> sites{};
    const GateSides<T>* sides = nullptr;
    const GateSide<T>& side(int end) const { return end == 0 ? sides->a : sides->b; }
  };
  /// A bond between two ranks. The rank that decides computes the truncation from the factors of
  /// both ends; the other one gets its half. Two SVDs of the same matrix would not do: on another
  /// processor, or with other threads, rounding chooses other vectors for values that are equal.
  struct CutBond {
    BondGate gate;
    BondShape shape;
    int mine = 0;  ///< which end this rank owns
    bool decides = false;
    linalg::Matrix<T> factor;  ///< of this end, on the rank that decides
    linalg::Buffer<T> outgoing, incoming;
    parallel::Request receipt;  ///< of `incoming`
  };
  /// A layer with all memory its messages need.
  struct PreparedLayer {
    std::vector<BondGate> inner;
    std::vector<CutBond> cut;
    std::vector<parallel::Request> sent;
  };

  void learn_operators(const circuit::Step& layer);
  std::vector<int> deciding_ends(const circuit::Step& layer) const;
  BondGate bond_gate(const circuit::Gate& gate) const;
  PreparedLayer prepare(const circuit::Step& layer);
  CutBond prepare_cut(const BondGate& gate, int deciding_end) const;
  linalg::Matrix<T> factor(const BondGate& gate, int end) const;
  int other_owner(const CutBond& bond) const { return owner_[bond.gate.sites[1 - bond.mine]]; }
  void update_inner(const BondGate& gate);
  void decide(CutBond& bond);
  void follow(CutBond& bond);
  void replace(const BondGate& gate, int end, linalg::ConstView<T> bond);
  void account(const BondGate& gate, std::vector<linalg::Real<T>> weights);
  void account_discarded(double weight);

  const lattice::Graph& graph_;
  std::vector<int> owner_;
  const parallel::Communicator& ranks_;
  UpdateOptions options_;
  OwnState<T> state_;
  linalg::Buffer<T> spare_;  // memory of a tensor that was replaced
  std::map<circuit::OperatorPointer, GateSides<T>> sides_;
  parallel::PostponedFailure failure_;  // agreed on in the next collective call
};

}  // namespace rankine::gpeps
