// A state as named arrays of real numbers, to be stored by whoever can store such arrays, and the
// way back: with the same sites on the same ranks it goes on as if nothing had happened, with other
// ranks to within rounding.
//
//   site.N    physical index, then the legs from the slowest to the fastest; where numbers are
//             complex, a last axis of 2 holds real and imaginary part
//   bond.N    the weights of edge N
//   legs      for one site after the other the edges of its legs, the fastest first
//   accounts  a row for each rank that wrote: discarded weight, log of the fidelity, largest bond
//             dimension
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gpeps/state/own_state.hpp"
#include "lattice/graph.hpp"
#include "parallel/communicator.hpp"

namespace rankine::gpeps {

/// Every rank knows name, shape and type; `owner` alone has the numbers, row-major.
struct StateArray {
  std::string name;
  std::vector<std::int64_t> shape;
  int owner = 0;
  std::variant<std::span<const double>, std::span<const float>> values;

  bool is_single_precision() const { return values.index() == 1; }
};

/// The arrays of one state, the same list on every rank. They lie in the state, but for two.
struct StateArrays {
  std::vector<StateArray> all;
  std::vector<double> legs, accounts;

  StateArrays() = default;
  StateArrays(StateArrays&&) = default;
  StateArrays& operator=(StateArrays&&) = default;
};

/// Where stored arrays are read, by any rank at any time.
class ArraySource {
 public:
  virtual ~ArraySource() = default;
  /// InputError if there is no array of that name.
  virtual std::vector<std::int64_t> shape(const std::string& name) const = 0;
  /// All its numbers, as many as the shape says. InputError if they cannot be read.
  virtual void read(const std::string& name, std::span<float> values) const = 0;
  virtual void read(const std::string& name, std::span<double> values) const = 0;
};

/// Collective. `bond_dimensions` is of every edge. The state must outlive the result.
template <linalg::Scalar T>
StateArrays arrays_of(const OwnState<T>& state, const lattice::Graph& graph,
                      const std::vector<int>& owner, const parallel::Communicator& ranks,
                      const std::vector<std::int64_t>& bond_dimensions);

/// The part of `rank` among `n_ranks`, whichever ranks wrote it. InputError: an array is missing,
/// has a shape that does not fit the lattice or the arrays of its bonds, or holds what is not
/// finite.
template <linalg::Scalar T>
OwnState<T> read_own_state(const ArraySource& source, const lattice::Graph& graph,
                           const std::vector<int>& owner, int rank, int n_ranks,
                           int physical_dimension);

}  // namespace rankine::gpeps
