// The ways in which a string can be read exactly, and what each of them costs.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "gpeps/job/options.hpp"
#include "gpeps/routes/factor.hpp"
#include "gpeps/routes/light_cone.hpp"
#include "lattice/graph.hpp"

namespace rankine::gpeps {

/// Messages of a contraction beyond this number of elements are not worth their memory.
inline constexpr double most_elements = 1e8;
/// With more loops the best order of contraction is not looked for.
inline constexpr int most_loops = 12;
/// What is not affordable for the last steps of a circuit alone is not affordable for all of them.
inline constexpr int window = 32;

/// The circuit that is measured, at an angle where no gate is special: plans made for it hold at
/// every point of a sweep.
struct MeasuredCircuit {
  /// `options` and `graph` must outlive the object.
  MeasuredCircuit(const SimulateOptions& options, const lattice::Graph& graph,
                  const circuit::ParametricCircuit& circuit);

  const SimulateOptions& options;
  const lattice::Graph& graph;
  circuit::Circuit circuit;
  LightCones cones;
  int shortest_loop;                         ///< of the lattice
  std::optional<circuit::Circuit> clifford;  ///< the same where all gates are Clifford gates
};

/// What one way to read a string costs; infinitely much where it is not affordable.
struct Way {
  static constexpr double never = std::numeric_limits<double>::infinity();

  Factor contraction = {};           ///< by contracting all loops
  double contraction_flops = never;  ///< with its evolution
  bool is_truncated = false;  ///< the smallest bond dimension of the deck does not hold its state
  Factor vector = {};         ///< by a state vector
  double vector_flops = never;
  double least_flops = never;  ///< of both, affordable or not
  Loops loops = {};            ///< of its light cone
  int n_sites = 0;             ///< likewise

  bool is_affordable() const { return contraction_flops < never || vector_flops < never; }
};

/// The way along one route, after `n_steps` steps.
Way way_along(const MeasuredCircuit& measured, const circuit::CliffordRoute& route, int n_steps);
/// The same for any circuit before the route.
Way way_after(const MeasuredCircuit& measured, circuit::Circuit circuit,
              const circuit::CliffordRoute& route);

/// The way along one route after more and more steps. Once bonds and light cone do not grow any
/// more, each step that is like those before costs as much as they did, and only few have to be
/// looked at.
class WayInDepth {
 public:
  WayInDepth(circuit::CliffordRoute route) : route_(std::move(route)) {}

  const circuit::CliffordRoute& route() const { return route_; }
  /// `n_steps` ascends from call to call.
  Way at(const MeasuredCircuit& measured, int n_steps);

 private:
  bool follows_a_line() const;

  circuit::CliffordRoute route_;
  std::vector<std::pair<int, Way>> known_;  ///< at most three, of steps that are alike
};

/// The cheapest of each kind over several ways.
struct BestWays {
  Way whole, truncated, vector;

  bool is_empty() const;
  double least_flops() const;
  void add(const Way& way);
};

/// About what a state vector of a light cone takes: half of the gates of each step, since the cone
/// narrows.
double vector_flops(std::size_t n_sites, std::size_t n_edges, int n_steps);
double vector_flops(const LightCone& cone, int n_steps);

}  // namespace rankine::gpeps
