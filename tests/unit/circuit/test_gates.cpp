// Every gate against its matrix, written down from Qiskit's definitions: there the first qubit is
// the fast index of a matrix, here the first site is the slow one.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "circuit/circuit.hpp"
#include "circuit/gate.hpp"
#include "circuit/pauli.hpp"

namespace rankine::circuit {
namespace {

using Elements = std::vector<Complex>;
constexpr double pi = std::numbers::pi;
constexpr Complex j{0, 1};

OperatorPointer make(const std::string& name, const std::vector<double>& angles) {
  return gate_kinds().at(name).make(angles);
}

/// Rows and columns of a two-qubit matrix of Qiskit's, whose index counts the second qubit slow.
Elements from_qiskit(const Elements& m) {
  if (m.size() == 4) return m;
  constexpr int place[] = {0, 2, 1, 3};
  Elements out(16);
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 4; ++column)
      out[place[row] * 4 + place[column]] = m[row * 4 + column];
  return out;
}

struct GateCase {
  std::string name;
  std::vector<double> angles;
  Elements qiskit;
};

std::vector<GateCase> cases() {
  const double a = 0.7, b = -1.9, l = 2.3, r = 1 / std::sqrt(2.0);
  const double c = std::cos(a / 2), s = std::sin(a / 2);
  const Complex e = std::exp(j * a), plus = std::exp(j * a / 2.0), minus = std::exp(-j * a / 2.0);
  const Complex u = 0.5 + 0.5 * j, d = 0.5 - 0.5 * j;
  return {
      {"i", {}, {1, 0, 0, 1}},
      {"x", {}, {0, 1, 1, 0}},
      {"y", {}, {0, -j, j, 0}},
      {"z", {}, {1, 0, 0, -1}},
      {"h", {}, {r, r, r, -r}},
      {"s", {}, {1, 0, 0, j}},
      {"sdg", {}, {1, 0, 0, -j}},
      {"t", {}, {1, 0, 0, std::exp(j * pi / 4.0)}},
      {"tdg", {}, {1, 0, 0, std::exp(-j * pi / 4.0)}},
      {"sx", {}, {u, d, d, u}},
      {"sxdg", {}, {d, u, u, d}},
      {"p", {a}, {1, 0, 0, e}},
      {"rx", {a}, {c, -j * s, -j * s, c}},
      {"ry", {a}, {c, -s, s, c}},
      {"rz", {a}, {minus, 0, 0, plus}},
      {"u", {a, b, l}, {c, -std::exp(j * l) * s, std::exp(j * b) * s, std::exp(j * (b + l)) * c}},
      {"cx", {}, {1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0}},
      {"cy", {}, {1, 0, 0, 0, 0, 0, 0, -j, 0, 0, 1, 0, 0, j, 0, 0}},
      {"cz", {}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1}},
      {"ch", {}, {1, 0, 0, 0, 0, r, 0, r, 0, 0, 1, 0, 0, r, 0, -r}},
      {"swap", {}, {1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1}},
      {"iswap", {}, {1, 0, 0, 0, 0, 0, j, 0, 0, j, 0, 0, 0, 0, 0, 1}},
      {"ecr", {}, {0, r, 0, j * r, r, 0, -j * r, 0, 0, j * r, 0, r, -j * r, 0, r, 0}},
      {"cp", {a}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, e}},
      {"crx", {a}, {1, 0, 0, 0, 0, c, 0, -j * s, 0, 0, 1, 0, 0, -j * s, 0, c}},
      {"cry", {a}, {1, 0, 0, 0, 0, c, 0, -s, 0, 0, 1, 0, 0, s, 0, c}},
      {"crz", {a}, {1, 0, 0, 0, 0, minus, 0, 0, 0, 0, 1, 0, 0, 0, 0, plus}},
      {"rxx", {a}, {c, 0, 0, -j * s, 0, c, -j * s, 0, 0, -j * s, c, 0, -j * s, 0, 0, c}},
      {"ryy", {a}, {c, 0, 0, j * s, 0, c, -j * s, 0, 0, -j * s, c, 0, j * s, 0, 0, c}},
      {"rzz", {a}, {minus, 0, 0, 0, 0, plus, 0, 0, 0, 0, plus, 0, 0, 0, 0, minus}},
      {"rzx", {a}, {c, 0, -j * s, 0, 0, c, 0, j * s, -j * s, 0, c, 0, 0, j * s, 0, c}},
  };
}

TEST(Gates, AreThoseOfQiskit) {
  std::set<std::string> seen;
  for (const GateCase& gate : cases()) {
    const auto op = make(gate.name, gate.angles);
    const Elements expected = from_qiskit(gate.qiskit);
    ASSERT_EQ(op->size() * op->size(), std::ssize(expected)) << gate.name;
    for (int k = 0; k < std::ssize(expected); ++k)
      EXPECT_NEAR(std::abs((*op)(k / op->size(), k % op->size()) - expected[k]), 0, 1e-15)
          << gate.name << " element " << k;
    seen.insert(gate.name);
  }
  EXPECT_EQ(seen.size(), gate_kinds().size()) << "a gate is not tested";
}

TEST(Gates, KnowTheirSitesAndAngles) {
  for (const GateCase& gate : cases()) {
    const GateKind& kind = gate_kinds().at(gate.name);
    EXPECT_EQ(kind.n_angles, std::ssize(gate.angles)) << gate.name;
    EXPECT_EQ(kind.n_sites, make(gate.name, gate.angles)->n_sites()) << gate.name;
  }
}

TEST(Gates, AreDiagonalWhereTheirMatrixIs) {
  for (const char* name : {"p", "rz", "rzz", "cp", "crz"})
    EXPECT_TRUE(make(name, {0.3})->is_diagonal()) << name;
  for (const char* name : {"rzx", "crx", "cry"})
    EXPECT_FALSE(make(name, {0.3})->is_diagonal()) << name;
}

/// The Pauli string that a Clifford gate on sites 0 and 1 carries `letters` to, with its sign.
std::string pulled(const std::string& name, const std::vector<double>& angles,
                   const std::map<int, char>& letters) {
  const auto back = pull_back({letters, 1}, {make(name, angles), {0, 1}});
  return back ? (back->sign > 0 ? "+" : "-") + back->text() : "no Clifford gate";
}

TEST(Gates, OfTheCliffordGroupCarryPauliStrings) {
  EXPECT_EQ(pulled("sx", {}, {{0, 'Z'}}), "+Y0");  // SX^H Z SX
  EXPECT_EQ(pulled("sxdg", {}, {{0, 'Z'}}), "-Y0");
  EXPECT_EQ(pulled("p", {pi / 2}, {{0, 'X'}}), "-Y0");
  EXPECT_EQ(pulled("u", {pi / 2, 0, pi}, {{0, 'Z'}}), "+X0");  // Hadamard
  EXPECT_EQ(pulled("iswap", {}, {{0, 'Z'}}), "+Z1");
  EXPECT_EQ(pulled("iswap", {}, {{0, 'X'}}), "-Z0 Y1");
  EXPECT_EQ(pulled("ecr", {}, {{0, 'Z'}}), "-Z0");
  EXPECT_EQ(pulled("cy", {}, {{0, 'X'}}), "+X0 Y1");
  EXPECT_EQ(pulled("cp", {pi}, {{0, 'X'}}), "+X0 Z1");
  EXPECT_EQ(pulled("rzx", {pi / 2}, {{1, 'Z'}}), "+Z0 Y1");
  EXPECT_EQ(pulled("rxx", {pi / 2}, {{0, 'Z'}}), "+Y0 X1");
  for (const char* name : {"ch", "cp", "crx", "cry", "crz"})
    EXPECT_EQ(
        pulled(name, gate_kinds().at(name).n_angles == 0 ? std::vector<double>{} : std::vector{0.3},
               {{0, 'X'}}),
        "no Clifford gate")
        << name;
}

}  // namespace
}  // namespace rankine::circuit
