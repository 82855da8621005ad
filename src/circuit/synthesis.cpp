#include "circuit/synthesis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "circuit/amplitudes.hpp"
#include "circuit/two_qubit_synthesis.hpp"
#include "circuit/unitary_factors.hpp"
#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::circuit {

namespace {

/// Gates with places for matrices on the sites 0 and 1, whose circuits come last.
class Shannon {
 public:
  void add(const SquareMatrix& unitary) {
    const int n_sites = std::countr_zero(static_cast<unsigned>(unitary.size()));
    if (n_sites == 2)
      pieces_.push_back({std::exchange(gates_, {}), unitary});
    else
      add_halves(cosine_sine(unitary), n_sites - 1);
  }

  /// Each matrix but the last is done up to a diagonal one, which passes the gates that have the
  /// sites 0 and 1 for controls, and joins the next matrix.
  Step finish() {
    Step gates;
    SquareMatrix carried = SquareMatrix::identity(4);
    for (std::size_t k = 0; k < pieces_.size(); ++k) {
      const Piece& piece = pieces_[k];
      gates.insert(gates.end(), piece.before.begin(), piece.before.end());
      const SquareMatrix matrix = piece.matrix * carried;
      if (k + 1 == pieces_.size()) {
        append(gates, two_qubit_circuit(matrix, {1, 0}));
        break;
      }
      const UpToDiagonal circuit = circuit_up_to_diagonal(matrix, {1, 0});
      append(gates, circuit.gates);
      for (int j = 0; j < 4; ++j) carried(j, j) = circuit.diagonal[j];
    }
    return gates;
  }

 private:
  struct Piece {
    Step before;
    SquareMatrix matrix;
  };

  static void append(Step& gates, const Step& more) {
    gates.insert(gates.end(), more.begin(), more.end());
  }

  /// U = (left) (Y rotations of the target, one for each value of the lower sites) (right).
  void add_halves(CosineSine factors, int target) {
    add_multiplexed(factors.right[0], factors.right[1], target);
    for (double& angle : factors.angles) angle *= 2;
    add_rotations(ry, "cz", factors.angles, target);
    // The last cz of the rotations is diagonal and part of the left factor already.
    gates_.pop_back();
    SquareMatrix& second = factors.left[1];
    for (int row = 0; row < second.size(); ++row)
      for (int column = second.size() / 2; column < second.size(); ++column)
        second(row, column) = -second(row, column);
    add_multiplexed(factors.left[0], factors.left[1], target);
  }

  /// a where the target is 0, b where it is 1: a = V D W and b = V D^H W.
  void add_multiplexed(const SquareMatrix& a, const SquareMatrix& b, int target) {
    const Eigenbasis eigen = diagonalise(a * adjoint(b));
    std::vector<double> angles;
    SquareMatrix w = adjoint(eigen.vectors) * b;
    for (int k = 0; k < a.size(); ++k) {
      const double phase = std::arg(eigen.values[k]) / 2;
      angles.push_back(-2 * phase);
      for (int column = 0; column < a.size(); ++column) w(k, column) *= std::polar(1.0, phase);
    }
    add(w);
    add_rotations(rz, "cx", angles, target);
    add(eigen.vectors);
  }

  /// Rotations of the target by angles[j] where the lower sites have the value j, in the order of a
  /// Gray code: between two of them one site turns the direction of the following.
  void add_rotations(OperatorPointer (*rotation)(double), const char* turn,
                     const std::vector<double>& angles, int target) {
    const unsigned n = static_cast<unsigned>(angles.size());
    for (unsigned k = 0; k < n; ++k) {
      const unsigned code = k ^ (k >> 1);
      double angle = 0;
      for (unsigned j = 0; j < n; ++j)
        angle += (std::popcount(j & code) % 2 == 0 ? angles[j] : -angles[j]) / n;
      const int control = std::min(std::countr_zero(k + 1), target - 1);
      gates_.push_back({rotation(angle), {target, -1}});
      gates_.push_back({fixed_gate(turn), {control, target}});
    }
  }

  std::vector<Piece> pieces_;
  Step gates_;  ///< after the last piece
};

/// The unitary matrix next to one that nearly is: two steps of Newton's for the polar factor.
SquareMatrix without_rounding(SquareMatrix matrix) {
  for (int repeated = 0; repeated < 2; ++repeated) {
    SquareMatrix correction = adjoint(matrix) * matrix;
    correction *= -0.5;
    for (int k = 0; k < matrix.size(); ++k) correction(k, k) += 1.5;
    matrix = matrix * correction;
  }
  return matrix;
}

}  // namespace

Step synthesise(const SquareMatrix& unitary) {
  const int size = unitary.size();
  if (size < 2 || !std::has_single_bit(static_cast<unsigned>(size)))
    throw InputError(
        fmt::format("a matrix of {} rows is no circuit of qubits, whose matrices have "
                    "2, 4, 8, ... rows.",
                    size));
  if (!(distance_from_unitary(unitary) < 1e-6))
    throw InputError(fmt::format("a matrix of {} rows is not unitary: no circuit has it.", size));
  if (size == 2) {
    const auto elements = unitary.elements();
    return {{std::make_shared<Operator>("u", 1, 2,
                                        std::vector<Complex>{elements.begin(), elements.end()}),
             {0, -1}}};
  }
  Shannon circuit;
  circuit.add(without_rounding(unitary));
  return circuit.finish();
}

int two_qubit_gates(int qubits) {
  RANKINE_EXPECTS(qubits >= 0 && qubits <= 15, "the count fits an int");
  if (qubits < 2) return 0;
  const std::int64_t size = std::int64_t{1} << qubits;
  return static_cast<int>((23 * size * size - 72 * size + 64) / 48);
}

int two_qubit_gates_of_rotation(int qubits) { return qubits == 2 ? 2 : two_qubit_gates(qubits); }

SquareMatrix product_of(const Step& gates, int qubits) {
  SquareMatrix product = SquareMatrix::identity(1 << qubits);
  for (const Gate& gate : gates) apply_gate(gate, product.elements(), qubits);
  return product;
}

}  // namespace rankine::circuit
