// Reading values off a state after one step: the interface between what is measured and the run
// that evolves the state.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "circuit/circuit.hpp"
#include "gpeps/measurement/state_view.hpp"
#include "gpeps/routes/factor.hpp"

namespace rankine::gpeps {

/// A number with an estimate of the error that was made by ignoring loops: 0 where none is left
/// out, NaN where no estimate was affordable. A value that is NaN has not been read yet.
struct Value {
  double value = std::numeric_limits<double>::quiet_NaN();
  double uncertainty = 0;
};

/// What a reading takes beside the evolution.
struct ReadingCost {
  double flops = 0;
  double elements = 0;  ///< of memory
  int site = 0;         ///< at whose rank they lie
};

class Reading {
 public:
  virtual ~Reading() = default;

  /// Raises what is asked of each site after the step: the causal cone leaves out what cannot
  /// change it, so asking too little gives wrong values.
  virtual void ask(std::vector<circuit::Demand>& of_sites) const = 0;
  /// The values, of any number. Collective over the ranks of the state.
  virtual std::vector<Value> read(const StateView& state) const = 0;
  /// For bond dimensions given per edge.
  virtual ReadingCost cost(const lattice::Graph& graph,
                           std::span<const std::int64_t> bond_dimensions) const;
  /// The string that is read, when that needs a run of its own or a state vector.
  virtual const Factor* own_run() const { return nullptr; }
};

using ReadingPointer = std::shared_ptr<const Reading>;

/// Reads one string, by whatever route was chosen for it.
class StringReading : public Reading {
 public:
  explicit StringReading(Factor factor) : factor_(std::move(factor)) {}

  const Factor& factor() const { return factor_; }
  void ask(std::vector<circuit::Demand>& of_sites) const override;
  std::vector<Value> read(const StateView& state) const override;
  ReadingCost cost(const lattice::Graph& graph,
                   std::span<const std::int64_t> bond_dimensions) const override;
  const Factor* own_run() const override { return factor_.is_direct() ? nullptr : &factor_; }

 private:
  Factor factor_;
};

/// The cluster of a site that is read in mean field.
lattice::Cluster one_site(int site);

}  // namespace rankine::gpeps
