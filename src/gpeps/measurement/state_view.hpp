// What observables may read off an evolved state, whatever its numbers are.
#pragma once

#include <vector>

#include "circuit/pauli.hpp"
#include "gpeps/measurement/loop_error.hpp"
#include "gpeps/state/evolution.hpp"
#include "lattice/cluster.hpp"

namespace rankine::gpeps {

/// Every method is collective over the ranks of the state and gives the same values on all of them;
/// its errors are those of the function it stands for, on all ranks.
class StateView {
 public:
  virtual ~StateView() = default;

  virtual const lattice::Graph& graph() const = 0;
  /// <op> on one site or on every site, in the mean-field environment of the bond weights.
  virtual double site_expectation(int site, const circuit::Operator& op) const = 0;
  virtual std::vector<double> site_expectations(const circuit::Operator& op) const = 0;
  /// <string> on a cluster that holds its support, with all loops of the cluster.
  virtual double cluster_expectation(const lattice::Cluster& cluster,
                                     const circuit::PauliString& string) const = 0;
  /// About how far values are off because of loops outside of their clusters; NaN where no estimate
  /// is affordable.
  virtual std::vector<double> loop_errors(const std::vector<ClusterValue>& values) const = 0;
};

/// The view of a tensor network.
template <linalg::Scalar T>
class NetworkView : public StateView {
 public:
  /// `estimate_flops`: what one estimate of loop errors may take. The state must outlive the view.
  NetworkView(const Evolution<T>& state, double estimate_flops)
      : state_(state), estimate_flops_(estimate_flops) {}

  const lattice::Graph& graph() const override { return state_.graph(); }
  double site_expectation(int site, const circuit::Operator& op) const override;
  std::vector<double> site_expectations(const circuit::Operator& op) const override;
  double cluster_expectation(const lattice::Cluster& cluster,
                             const circuit::PauliString& string) const override;
  std::vector<double> loop_errors(const std::vector<ClusterValue>& values) const override;

 private:
  const Evolution<T>& state_;
  double estimate_flops_;
};

}  // namespace rankine::gpeps
