#include "circuit/two_qubit_synthesis.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "circuit/unitary_factors.hpp"
#include "core/errors.hpp"

namespace rankine::circuit {

namespace {

constexpr Complex imaginary{0, 1};
using std::numbers::pi;

SquareMatrix matrix_of(const Operator& op) {
  SquareMatrix matrix(op.size());
  for (int row = 0; row < op.size(); ++row)
    for (int column = 0; column < op.size(); ++column) matrix(row, column) = op(row, column);
  return matrix;
}

/// a x b, a on the slow site.
SquareMatrix tensor(const Operator& a, const Operator& b) {
  SquareMatrix out(4);
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 4; ++column)
      out(row, column) = a(row / 2, column / 2) * b(row % 2, column % 2);
  return out;
}

/// Columns in which XX, YY and ZZ are diagonal and one-qubit gates real.
const SquareMatrix& magic_basis() {
  constexpr double r = 1 / std::numbers::sqrt2;
  static const SquareMatrix basis(4, {r, r * imaginary, 0, 0,   //
                                      0, 0, r * imaginary, r,   //
                                      0, 0, r * imaginary, -r,  //
                                      r, -r * imaginary, 0, 0});
  return basis;
}

/// What exp(i phase) of the columns of the magic basis is, in terms of x, y, z.
std::array<double, 3> coordinates_of(const std::array<double, 4>& phase) {
  return {(phase[0] - phase[1] + phase[2] - phase[3]) / 4,
          (-phase[0] + phase[1] + phase[2] - phase[3]) / 4,
          (phase[0] + phase[1] - phase[2] - phase[3]) / 4};
}

}  // namespace

CanonicalForm canonical_form(const SquareMatrix& unitary) {
  const SquareMatrix& magic = magic_basis();
  const SquareMatrix in_basis = adjoint(magic) * unitary * magic;
  Eigenbasis eigen = diagonalise(transpose(in_basis) * in_basis, Symmetry::symmetric);
  if (determinant(eigen.vectors).real() < 0)
    for (int row = 0; row < 4; ++row) eigen.vectors(row, 0) = -eigen.vectors(row, 0);
  std::array<double, 4> phase;
  double sum = 0;
  for (int k = 0; k < 4; ++k) sum += phase[k] = std::arg(eigen.values[k]) / 2;
  // The square roots have the determinant of `unitary`, so that what is left is a rotation.
  if (std::cos(sum) < 0) phase[0] += sum < 0 ? pi : -pi, sum += sum < 0 ? pi : -pi;
  SquareMatrix rotation = in_basis * eigen.vectors;
  for (int row = 0; row < 4; ++row)
    for (int k = 0; k < 4; ++k) rotation(row, k) *= std::polar(1.0, -phase[k]);
  CanonicalForm form{magic * rotation * adjoint(magic),
                     magic * transpose(eigen.vectors) * adjoint(magic), coordinates_of(phase), 0};
  form.left *= std::polar(1.0, sum / 4);
  form.obstruction = std::cos(sum / 2);  // 1 or -1
  for (double coordinate : form.coordinates) form.obstruction *= std::sin(2 * coordinate);
  return form;
}

namespace {

/// A product of one-qubit gates as these.
Step one_qubit_gates(const SquareMatrix& product, SitePair sites) {
  const Operator op("u", 2, 2, {product.elements().begin(), product.elements().end()});
  const auto factors = product_factors(op, 1e-9);
  if (!factors) throw NumericalError("a circuit was not found: its gates do not come apart.");
  return {{(*factors)[0], {sites[0], -1}}, {(*factors)[1], {sites[1], -1}}};
}

/// exp(i angle P) of Pauli matrices on both sites.
SquareMatrix two_pauli_rotation(int pauli, double angle) {
  constexpr std::array<OperatorPointer (*)(double), 3> rotations{rxx, ryy, rzz};
  return matrix_of(*rotations[pauli](-2 * angle));
}

/// The gates that turn the axes of both qubits so that the rest of `pauli` becomes that of X and Z,
/// up to signs that both qubits share.
SquareMatrix axes_with_pauli_as_y(int pauli) {
  static const OperatorPointer turn[] = {rz(pi / 2), fixed_gate("i"), rx(pi / 2)};
  return tensor(*turn[pauli], *turn[pauli]);
}

/// left exp(i (a PP + b QQ)) right, where what the smallest coordinate does is a product of
/// one-qubit gates: cx turns X x X into X x 1 and Z x Z into 1 x Z.
Step two_cx_circuit(const CanonicalForm& form, SitePair sites) {
  const auto& c = form.coordinates;
  const auto strength = [&](int pauli) { return std::abs(std::sin(2 * c[pauli])); };
  const int idle = std::min({0, 1, 2}, [&](int p, int q) { return strength(p) < strength(q); });
  if (!(strength(idle) < 1e-9))
    throw NumericalError("a circuit was not found: two cx are not enough.");
  // rz(pi/2) takes X to Y, rx(pi/2) takes Y to Z: `idle` becomes Y, the others X and Z.
  const SquareMatrix turn = axes_with_pauli_as_y(idle);
  const double along_x = idle == 0 ? c[1] : c[0], along_z = idle == 2 ? c[1] : c[2];
  const double quarter_turns = std::round(c[idle] / (pi / 2)) * pi / 2;
  const OperatorPointer cx = fixed_gate("cx");
  Step gates = one_qubit_gates(turn * form.right, sites);
  gates.push_back({cx, sites});
  gates.push_back({rx(-2 * along_x), {sites[0], -1}});
  gates.push_back({rz(-2 * along_z), {sites[1], -1}});
  gates.push_back({cx, sites});
  const Step last =
      one_qubit_gates(form.left * two_pauli_rotation(idle, quarter_turns) * adjoint(turn), sites);
  gates.insert(gates.end(), last.begin(), last.end());
  return gates;
}

void multiply_phase(Step& gates, Complex phase) {
  OperatorPointer& last = gates.back().op;
  last = product(Operator("phase", 1, 2, {phase, 0, 0, phase}), *last);
}

/// The matrix with determinant 1, and the phase it was multiplied with.
SquareMatrix with_unit_determinant(SquareMatrix unitary, Complex& phase) {
  phase = std::polar(1.0, -std::arg(determinant(unitary)) / 4);
  unitary *= phase;
  return unitary;
}

/// The angle at which family(angle), whose obstruction is a cos(angle) + b sin(angle), has none.
/// That of canonical forms is accurate where all three sines are small, as traces are not.
template <class Family>
double unobstructed(const Family& family) {
  const double a = canonical_form(family(0)).obstruction,
               b = canonical_form(family(pi / 2)).obstruction;
  return std::atan2(-a, b);
}

/// U = W cx R with a rotation R of the target about Z: for one angle two cx are enough for W.
Step three_cx_circuit(const SquareMatrix& unitary, SitePair sites) {
  const OperatorPointer cx = fixed_gate("cx"), one = fixed_gate("i");
  const Complex phase = std::polar(1.0, pi / 4);  // gives cx the determinant 1
  SquareMatrix special_cx = matrix_of(*cx);
  special_cx *= phase;
  const auto family = [&](double angle) {
    return unitary * tensor(*one, *rz(-angle)) * special_cx;
  };
  const double angle = unobstructed(family);
  Step gates{{rz(angle), {sites[1], -1}}, {cx, sites}};
  const Step rest = two_cx_circuit(canonical_form(family(angle)), sites);
  gates.insert(gates.end(), rest.begin(), rest.end());
  multiply_phase(gates, std::conj(phase));
  return gates;
}

bool is_real(const SquareMatrix& matrix) {
  return std::ranges::all_of(matrix.elements(), [](Complex x) { return x.imag() == 0; });
}

}  // namespace

UpToDiagonal circuit_up_to_diagonal(const SquareMatrix& unitary, SitePair sites) {
  Complex phase;
  const SquareMatrix special = with_unit_determinant(unitary, phase);
  const auto family = [&](double angle) { return matrix_of(*rzz(angle)) * special; };
  const double angle = unobstructed(family);
  UpToDiagonal result{two_cx_circuit(canonical_form(family(angle)), sites), {}};
  for (int k = 0; k < 4; ++k)
    result.diagonal[k] =
        std::conj(phase) * std::polar(1.0, (k == 1 || k == 2 ? -1 : 1) * angle / 2);
  return result;
}

Step two_qubit_circuit(const SquareMatrix& unitary, SitePair sites) {
  Complex phase;
  const SquareMatrix special = with_unit_determinant(unitary, phase);
  Step gates = is_real(special) ? two_cx_circuit(canonical_form(special), sites)
                                : three_cx_circuit(special, sites);
  multiply_phase(gates, std::conj(phase));
  return gates;
}

}  // namespace rankine::circuit
