#include "gpeps/state/state_arrays.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"

namespace rankine::gpeps {

using linalg::Real;
using linalg::Scalar;
using Shape = std::vector<std::int64_t>;

namespace {

constexpr std::size_t n_accounts = 3;

std::string site_name(int site) { return fmt::format("site.{}", site); }
std::string bond_name(int edge) { return fmt::format("bond.{}", edge); }

/// Legs whose bonds have `dimensions`, the fastest first.
template <Scalar T>
Shape site_shape(const Shape& dimensions, int physical_dimension) {
  Shape shape{physical_dimension};
  shape.insert(shape.end(), dimensions.rbegin(), dimensions.rend());
  if (linalg::is_complex<T>) shape.push_back(2);
  return shape;
}

template <Scalar T>
std::span<const Real<T>> as_reals(std::span<const T> numbers) {
  return {reinterpret_cast<const Real<T>*>(numbers.data()),
          numbers.size() * sizeof(T) / sizeof(Real<T>)};
}
template <Scalar T>
std::span<Real<T>> as_reals(std::span<T> numbers) {
  return {reinterpret_cast<Real<T>*>(numbers.data()), numbers.size() * sizeof(T) / sizeof(Real<T>)};
}

/// The legs of all sites, one site after the other, on every rank.
template <Scalar T>
std::vector<std::int64_t> all_legs(const OwnState<T>& state, const lattice::Graph& graph,
                                   const std::vector<int>& owner,
                                   const parallel::Communicator& ranks) {
  std::vector<std::int64_t> legs;
  for (int site = 0; site < graph.n_sites(); ++site) {
    const bool is_mine = owner[site] == ranks.rank();
    for (int k = 0; k < graph.degree(site); ++k)
      legs.push_back(is_mine ? state.tensors[site].legs[k] : 0);
  }
  ranks.sum(std::span(legs));
  return legs;
}

}  // namespace

template <Scalar T>
StateArrays arrays_of(const OwnState<T>& state, const lattice::Graph& graph,
                      const std::vector<int>& owner, const parallel::Communicator& ranks,
                      const std::vector<std::int64_t>& bond_dimensions) {
  using Numbers = std::span<const Real<T>>;
  StateArrays arrays;
  const auto legs = all_legs(state, graph, owner, ranks);
  arrays.legs.assign(legs.begin(), legs.end());
  const double mine[n_accounts] = {state.discarded_weight, state.log_fidelity,
                                   static_cast<double>(state.bond_dimension)};
  arrays.accounts = ranks.gather(std::span<const double>(mine), 0);
  auto leg = legs.begin();
  for (int site = 0; site < graph.n_sites(); ++site) {
    Shape dimensions;
    for (int k = 0; k < graph.degree(site); ++k)
      dimensions.push_back(bond_dimensions[static_cast<std::size_t>(*leg++)]);
    const bool is_mine = owner[site] == ranks.rank();
    const SiteTensor<T>& tensor = state.tensors[site];
    arrays.all.push_back({site_name(site), site_shape<T>(dimensions, state.physical_dimension),
                          owner[site], is_mine ? as_reals(tensor.elements.span()) : Numbers{}});
  }
  for (int edge = 0; edge < graph.n_edges(); ++edge) {
    const int at = owner[graph.edge(edge).a];
    arrays.all.push_back({bond_name(edge),
                          {bond_dimensions[edge]},
                          at,
                          at == ranks.rank() ? Numbers(state.weights[edge]) : Numbers{}});
  }
  const bool writes = ranks.rank() == 0;
  using Doubles = std::span<const double>;
  arrays.all.push_back(
      {"legs", {std::ssize(arrays.legs)}, 0, writes ? Doubles(arrays.legs) : Doubles{}});
  arrays.all.push_back({"accounts", {ranks.size(), n_accounts}, 0, Doubles(arrays.accounts)});
  return arrays;
}

namespace {

/// Reads arrays that somebody stored, and holds them against the lattice.
template <Scalar T>
class StateReader {
 public:
  StateReader(const ArraySource& source, const lattice::Graph& graph, int physical_dimension)
      : source_(source), graph_(graph), physical_dimension_(physical_dimension) {
    state_.tensors.resize(graph.n_sites());
    state_.weights.assign(graph.n_edges(), {Real<T>(1)});
    state_.physical_dimension = physical_dimension;
  }

  OwnState<T> read(const std::vector<int>& owner, int rank, int n_ranks) {
    const auto legs = read_array<double>("legs", {2 * std::int64_t{graph_.n_edges()}});
    auto next = legs.begin();
    for (int site = 0; site < graph_.n_sites(); ++site) {
      const auto end = next + graph_.degree(site);
      if (owner[site] == rank) read_site(site, {next, end});
      next = end;
    }
    read_accounts(rank, n_ranks);
    return std::move(state_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& name, const std::string& why) {
    throw InputError(fmt::format(
        "the array {} of a stored state cannot be used ({}). Start again without it.", name, why));
  }

  template <class Number>
  std::vector<Number> read_array(const std::string& name, const Shape& expected) const {
    const Shape shape = source_.shape(name);
    if (shape != expected)
      refuse(name, fmt::format("its shape is [{}], but [{}] would fit", fmt::join(shape, ", "),
                               fmt::join(expected, ", ")));
    std::int64_t size = 1;
    for (const std::int64_t length : shape) size *= length;
    std::vector<Number> values(static_cast<std::size_t>(size));
    source_.read(name, std::span(values));
    require_finite<Number>(name, values);
    return values;
  }

  template <class Number>
  static void require_finite(const std::string& name, std::span<const Number> values) {
    if (!std::ranges::all_of(values, [](Number value) { return std::isfinite(value); }))
      refuse(name, "a number is not finite");
  }

  void read_weights(int edge) {
    const std::string name = bond_name(edge);
    const Shape shape = source_.shape(name);
    if (shape.size() != 1 || shape[0] < 1) refuse(name, "it is no list of weights");
    state_.weights[edge] = read_array<Real<T>>(name, shape);
    if (std::ranges::min(state_.weights[edge]) <= 0) refuse(name, "a weight is not positive");
  }

  void read_site(int site, std::span<const double> legs) {
    const std::string name = site_name(site);
    SiteTensor<T>& tensor = state_.tensors[site];
    tensor.physical_dimension = physical_dimension_;
    tensor.legs.assign(legs.begin(), legs.end());
    const auto edges = graph_.edges_at(site);
    if (!std::ranges::equal(tensor.legs, legs, {}, [](int leg) { return double(leg); }) ||
        !std::ranges::is_permutation(tensor.legs, edges))
      refuse("legs", fmt::format("those of site {} are not its edges", site));
    for (const int edge : tensor.legs) {
      read_weights(edge);
      tensor.dimensions.push_back(std::ssize(state_.weights[edge]));
    }
    const Shape shape = site_shape<T>(tensor.dimensions, physical_dimension_);
    if (source_.shape(name) != shape)
      refuse(name, fmt::format("its shape is [{}], but [{}] would fit its bonds",
                               fmt::join(source_.shape(name), ", "), fmt::join(shape, ", ")));
    tensor.elements = linalg::Buffer<T>(physical_dimension_ * tensor.block_size());
    const std::span<Real<T>> numbers = as_reals(tensor.elements.span());
    source_.read(name, numbers);
    require_finite<Real<T>>(name, numbers);
  }

  /// Each rank goes on with the account of its namesake; those of ranks that are no more are dealt
  /// out.
  void read_accounts(int rank, int n_ranks) {
    const Shape shape = source_.shape("accounts");
    if (shape.size() != 2 || shape[0] < 1) refuse("accounts", "it is no table");
    const auto rows = read_array<double>("accounts", {shape[0], std::int64_t{n_accounts}});
    for (auto row = static_cast<std::size_t>(rank); row < rows.size() / n_accounts;
         row += static_cast<std::size_t>(n_ranks)) {
      const double* account = rows.data() + n_accounts * row;
      if (account[0] < 0 || account[1] > 0 || account[2] < 1 || account[2] > 1e9)
        refuse("accounts", "no truncation gives such numbers");
      state_.discarded_weight += account[0];
      state_.log_fidelity += account[1];
      state_.bond_dimension =
          std::max(state_.bond_dimension, static_cast<std::int64_t>(account[2]));
    }
  }

  const ArraySource& source_;
  const lattice::Graph& graph_;
  int physical_dimension_;
  OwnState<T> state_;
};

}  // namespace

template <Scalar T>
OwnState<T> read_own_state(const ArraySource& source, const lattice::Graph& graph,
                           const std::vector<int>& owner, int rank, int n_ranks,
                           int physical_dimension) {
  return StateReader<T>(source, graph, physical_dimension).read(owner, rank, n_ranks);
}

#define RANKINE_INSTANTIATE(T)                                                              \
  template StateArrays arrays_of<T>(const OwnState<T>&, const lattice::Graph&,              \
                                    const std::vector<int>&, const parallel::Communicator&, \
                                    const std::vector<std::int64_t>&);                      \
  template OwnState<T> read_own_state<T>(const ArraySource&, const lattice::Graph&,         \
                                         const std::vector<int>&, int, int, int);
RANKINE_INSTANTIATE(float)
RANKINE_INSTANTIATE(double)
RANKINE_INSTANTIATE(std::complex<float>)
RANKINE_INSTANTIATE(std::complex<double>)
#undef RANKINE_INSTANTIATE

}  // namespace rankine::gpeps
