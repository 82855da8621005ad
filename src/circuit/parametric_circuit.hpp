// A circuit whose angles depend on named parameters: built once, bound at every point of a sweep.
// Whatever circuits are read from, this is what they become.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "circuit/angle.hpp"
#include "circuit/circuit.hpp"

namespace rankine::circuit {

/// A circuit in the words of a gate list, with the names of its parameters. Steps that repeat are
/// written once.
struct CircuitText {
  std::vector<std::string> steps;   ///< the different steps, each as lines of a gate list
  std::vector<std::int64_t> order;  ///< for each step of the circuit its place in `steps`

  /// All of it as a gate list.
  std::string gate_list() const;
};

class ParametricCircuit {
 public:
  /// `file` is named in messages; `parameters` count as used even if no gate has them.
  explicit ParametricCircuit(std::string file = {},
                             std::set<std::string, std::less<>> parameters = {})
      : file_(std::move(file)), parameters_(std::move(parameters)) {}

  /// Adds a gate to the step under way: one of gate_kinds(), with its sites and angles; `line` is
  /// where it stands in the file.
  void add(std::string_view name, std::array<int, 2> sites, std::vector<Angle> angles,
           int line = 0);
  /// Ends the step under way; it is taken `times` times.
  void end_step(std::int64_t times = 1);
  /// Whether the step under way has no gate yet.
  bool is_at_step() const { return step_.empty(); }

  int n_steps() const { return static_cast<int>(order_.size()); }
  /// Whether some angle depends on the parameter.
  bool uses(std::string_view parameter) const { return parameters_.contains(parameter); }

  /// The circuit at one point; `parameters` has a value for all that are used. InputError names
  /// file and line of an angle that is not finite there.
  Circuit bind(const Parameters& parameters) const;

  CircuitText text() const;

 private:
  /// What stands between a line's sites, shared by all gates that are alike.
  struct Operation {
    std::string name;
    std::vector<Angle> angles;
    int line = 0;
  };
  struct PlacedOperation {
    int operation = 0;
    std::array<int, 2> sites{-1, -1};
    auto operator<=>(const PlacedOperation&) const = default;
  };
  using ParametricStep = std::vector<PlacedOperation>;

  std::vector<double> bound_angles(const Operation& operation, const Parameters& parameters) const;

  std::string file_;
  std::set<std::string, std::less<>> parameters_;
  std::vector<Operation> operations_;
  std::map<std::vector<std::string>, int> places_of_operations_;  ///< by name and angles
  std::map<ParametricStep, std::int64_t> places_of_steps_;
  std::vector<ParametricStep> steps_;  ///< the different ones
  std::vector<std::int64_t> order_;
  ParametricStep step_;  ///< under way
};

/// The kicked Ising model of Kim et al., Nature 618, 500 (2023): each step applies RX(theta_h) to
/// every site, then RZZ(theta_j) to every edge, in the order given; `final_rx_layer` adds one more
/// RX layer to the last step.
ParametricCircuit kicked_ising(std::int64_t n_steps, bool final_rx_layer, int n_sites,
                               std::span<const std::pair<int, int>> edges);

/// The circuit that a gate list says: one gate per line, "name site [site] [angles]"; `step` ends a
/// step; # starts a comment. Names are those of gate_kinds(); angles may name `parameters`
/// (angle.hpp). InputError names `file` and line: unknown gate, missing angle, a site that does not
/// exist, the same site twice, no gate at all.
ParametricCircuit parse_gate_list(std::string_view text, const std::string& file, int n_sites,
                                  const std::vector<std::string>& parameters);

}  // namespace rankine::circuit
