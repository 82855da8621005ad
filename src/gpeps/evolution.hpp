// A state on a lattice whose sites are spread over ranks, and its evolution by gates (simple
// update).
#pragma once

#include <array>
#include <exception>
#include <map>
#include <vector>

#include "circuit/circuit.hpp"
#include "gpeps/bond_update.hpp"
#include "gpeps/site_tensor.hpp"
#include "lattice/graph.hpp"
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
  /// Starts in the product state |0...0>. `graph` and `ranks` must outlive the object.
  Evolution(const lattice::Graph& graph, std::vector<int> owner,
            const parallel::Communicator& ranks, const UpdateOptions& options,
            int physical_dimension = 2);

  /// Collective. Applies gates that share no site (a layer of circuit::layers). InputError: a
  /// two-site gate does not stand on an edge. NumericalError, ResourceError: on all ranks when one
  /// of them fails, at the latest in the next collective call.
  void apply(const circuit::Step& layer);

  /// Collective. The record over all ranks.
  TruncationRecord record() const;

  const lattice::Graph& graph() const { return graph_; }
  const parallel::Communicator& ranks() const { return ranks_; }
  int owner(int site) const { return owner_[site]; }
  bool owns(int site) const { return owner_[site] == ranks_.rank(); }
  /// The tensor of a site this rank owns.
  const SiteTensor<T>& tensor(int site) const { return tensors_[site]; }
  /// Weights of an edge at a site this rank owns.
  const std::vector<linalg::Real<T>>& weights(int edge) const { return weights_[edge]; }
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
  /// A bond between two ranks: the messages with the factors of both ends, each the number of rows
  /// and then the elements. All their memory is there before the first message starts.
  struct CutBond {
    BondGate gate;
    int mine = 0;  ///< which end this rank owns
    linalg::Buffer<T> outgoing;
    linalg::Buffer<T> incoming;
  };

  BondGate bond_gate(const circuit::Gate& gate);
  linalg::Matrix<T> factor(const BondGate& gate, int end) const;
  CutBond prepare_cut(const BondGate& gate) const;
  std::vector<parallel::Request> start_exchange(std::vector<CutBond>& cut) const;
  void update_inner(const BondGate& gate);
  void update_cut(const CutBond& bond);
  void replace(const BondGate& gate, int end, const TruncatedBond<T>& bond);
  void account(const BondGate& gate, TruncatedBond<T>& bond);

  const lattice::Graph& graph_;
  std::vector<int> owner_;
  const parallel::Communicator& ranks_;
  UpdateOptions options_;
  std::vector<SiteTensor<T>> tensors_;
  std::vector<std::vector<linalg::Real<T>>> weights_;
  linalg::Buffer<T> spare_;  // memory of a tensor that was replaced
  std::map<circuit::OperatorPointer, GateSides<T>> sides_;
  double discarded_weight_ = 0;
  double log_fidelity_ = 0;
  std::int64_t bond_dimension_ = 1;
  std::exception_ptr failure_;  // of this rank, to be agreed on in the next collective call
};

}  // namespace rankine::gpeps
