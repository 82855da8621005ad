// Gates: a one- or two-site operator and the sites it acts on.
#pragma once

#include <array>
#include <complex>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rankine::circuit {

using Complex = std::complex<double>;

/// A linear operator on one or two sites of physical dimension `dimension` each.
/// `elements` is row-major, n x n with n = dimension^n_sites; in a two-site index the first site is
/// the slow one.
class Operator {
 public:
  /// InputError when the number of elements does not fit, or one is not finite.
  Operator(std::string name, int n_sites, int dimension, std::vector<Complex> elements);

  const std::string& name() const { return name_; }
  int n_sites() const { return n_sites_; }
  int dimension() const { return dimension_; }
  int size() const { return size_; }
  Complex operator()(int row, int column) const { return elements_[row * size_ + column]; }
  bool is_diagonal() const { return diagonal_; }
  /// True for a multiple of the identity, up to 1e-14.
  bool is_identity() const;

 private:
  std::string name_;
  int n_sites_;
  int dimension_;
  int size_;
  bool diagonal_;
  std::vector<Complex> elements_;
};

using OperatorPointer = std::shared_ptr<const Operator>;

/// The product `after * before`: first `before`, then `after`.
OperatorPointer product(const Operator& after, const Operator& before);
/// The adjoint operator (the inverse of a unitary one).
OperatorPointer adjoint(const Operator& op);
/// A two-site operator with its sites exchanged.
OperatorPointer exchanged(const Operator& op);
/// The one-site operators whose tensor product a two-site operator is, up to `tolerance` of its
/// largest element; nothing when there are none.
std::optional<std::array<OperatorPointer, 2>> product_factors(const Operator& op,
                                                              double tolerance = 1e-14);

/// An operator at work: on site `sites[0]`, or on the sites `sites[0]` and `sites[1]` of an edge.
/// Gates share their operators.
struct Gate {
  OperatorPointer op;
  std::array<int, 2> sites{-1, -1};

  int n_sites() const { return op->n_sites(); }
  bool is_diagonal() const { return op->is_diagonal(); }
};

/// exp(-i angle X / 2), likewise Y and Z; `angle` in radians.
OperatorPointer rx(double angle);
OperatorPointer ry(double angle);
OperatorPointer rz(double angle);
/// exp(-i angle XX / 2), likewise YY and ZZ, and ZX with Z on the first site; `angle` in radians.
OperatorPointer rxx(double angle);
OperatorPointer ryy(double angle);
OperatorPointer rzz(double angle);
OperatorPointer rzx(double angle);

/// A gate list knows a gate by its name, its number of sites and of angles.
struct GateKind {
  int n_sites = 1;
  int n_angles = 0;
  std::function<OperatorPointer(const std::vector<double>& angles)> make;
};
/// All gates there are, by name; those that Qiskit knows too are the same there. In c... gates the
/// first site controls.
const std::map<std::string, GateKind, std::less<>>& gate_kinds();
/// A gate without an angle, such as h, cx or swap. Null for any other name.
OperatorPointer fixed_gate(const std::string& name);

}  // namespace rankine::circuit
