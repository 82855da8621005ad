#include "circuit/gate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "core/errors.hpp"
#include "core/text_format.hpp"

namespace rankine::circuit {

namespace {

constexpr Complex i{0, 1};

std::vector<Complex> kronecker(const std::vector<Complex>& a, const std::vector<Complex>& b) {
  std::vector<Complex> out(16);
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) out[r * 4 + c] = a[(r / 2) * 2 + c / 2] * b[(r % 2) * 2 + c % 2];
  return out;
}

const std::vector<Complex> pauli_x{0, 1, 1, 0};
const std::vector<Complex> pauli_y{0, -i, i, 0};
const std::vector<Complex> pauli_z{1, 0, 0, -1};

/// exp(-i angle P / 2) of an involution P.
OperatorPointer rotation(const char* name, double angle, std::vector<Complex> involution) {
  const int n_sites = involution.size() == 4 ? 1 : 2, size = 2 * n_sites;
  for (Complex& element : involution) element *= -i * std::sin(angle / 2);
  for (int k = 0; k < size; ++k) involution[k * size + k] += std::cos(angle / 2);
  return std::make_shared<Operator>(name, n_sites, 2, std::move(involution));
}

}  // namespace

Operator::Operator(std::string name, int n_sites, int dimension, std::vector<Complex> elements)
    : name_(std::move(name)),
      n_sites_(n_sites),
      dimension_(dimension),
      size_(n_sites == 1 ? dimension : dimension * dimension),
      diagonal_(true),
      elements_(std::move(elements)) {
  if (n_sites < 1 || n_sites > 2 || std::ssize(elements_) != std::ptrdiff_t{size_} * size_)
    throw InputError(fmt::format(
        "gate {} has {} on {} of dimension {}. A gate acts on one or two sites and has "
        "(dimension^sites)^2 elements.",
        name_, counted(std::ssize(elements_), "element"), counted(n_sites, "site"), dimension));
  for (int row = 0; row < size_; ++row)
    for (int column = 0; column < size_; ++column) {
      const Complex value = (*this)(row, column);
      if (!std::isfinite(value.real()) || !std::isfinite(value.imag()))
        throw InputError(fmt::format("gate {} holds an element that is not finite.", name_));
      if (row != column && value != Complex{}) diagonal_ = false;
    }
}

bool Operator::is_identity() const {
  for (int row = 0; row < size_; ++row)
    for (int column = 0; column < size_; ++column)
      if (std::abs((*this)(row, column) - (row == column ? (*this)(0, 0) : Complex{})) > 1e-14)
        return false;
  return true;
}

OperatorPointer product(const Operator& after, const Operator& before) {
  const int n = after.size();
  std::vector<Complex> elements(n * n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      for (int k = 0; k < n; ++k) elements[row * n + column] += after(row, k) * before(k, column);
  return std::make_shared<Operator>(after.name() + "*" + before.name(), after.n_sites(),
                                    after.dimension(), std::move(elements));
}

OperatorPointer adjoint(const Operator& op) {
  const int n = op.size();
  std::vector<Complex> elements(n * n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      elements[row * n + column] = std::conj(op(column, row));
  return std::make_shared<Operator>(op.name() + "^H", op.n_sites(), op.dimension(),
                                    std::move(elements));
}

OperatorPointer exchanged(const Operator& op) {
  const int d = op.dimension(), n = op.size();
  const auto swap = [d](int index) { return (index % d) * d + index / d; };
  std::vector<Complex> elements(n * n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      elements[row * n + column] = op(swap(row), swap(column));
  return std::make_shared<Operator>(op.name(), 2, d, std::move(elements));
}

std::optional<std::array<OperatorPointer, 2>> product_factors(const Operator& op,
                                                              double tolerance) {
  const int d = op.dimension(), n = d * d;
  const auto regrouped = [&](int x, int y) {  // x, y: row and column of the first, second site
    return op((x / d) * d + y / d, (x % d) * d + y % d);
  };
  int pivot_x = 0, pivot_y = 0;
  for (int x = 0; x < n; ++x)
    for (int y = 0; y < n; ++y)
      if (std::abs(regrouped(x, y)) > std::abs(regrouped(pivot_x, pivot_y)))
        pivot_x = x, pivot_y = y;
  const Complex pivot = regrouped(pivot_x, pivot_y);
  if (pivot == Complex{}) return std::nullopt;
  double square = 0;
  for (int x = 0; x < n; ++x) square += std::norm(regrouped(x, pivot_y));
  const double scale = std::sqrt(square / d);  // makes the first factor of a unitary unitary
  std::vector<Complex> a(n), b(n);
  for (int k = 0; k < n; ++k) {
    a[k] = regrouped(k, pivot_y) / scale;
    b[k] = regrouped(pivot_x, k) * scale / pivot;
  }
  for (int x = 0; x < n; ++x)
    for (int y = 0; y < n; ++y)
      if (std::abs(regrouped(x, y) - a[x] * b[y]) > tolerance * std::abs(pivot))
        return std::nullopt;
  return std::array<OperatorPointer, 2>{
      std::make_shared<Operator>(op.name() + "[0]", 1, d, std::move(a)),
      std::make_shared<Operator>(op.name() + "[1]", 1, d, std::move(b))};
}

OperatorPointer rx(double angle) { return rotation("rx", angle, pauli_x); }
OperatorPointer ry(double angle) { return rotation("ry", angle, pauli_y); }
OperatorPointer rz(double angle) { return rotation("rz", angle, pauli_z); }
OperatorPointer rxx(double angle) { return rotation("rxx", angle, kronecker(pauli_x, pauli_x)); }
OperatorPointer ryy(double angle) { return rotation("ryy", angle, kronecker(pauli_y, pauli_y)); }
OperatorPointer rzz(double angle) { return rotation("rzz", angle, kronecker(pauli_z, pauli_z)); }
OperatorPointer rzx(double angle) { return rotation("rzx", angle, kronecker(pauli_z, pauli_x)); }

namespace {

using Angles = std::vector<double>;
using Kinds = std::map<std::string, GateKind, std::less<>>;

/// The operator on the second site where the first is 1.
OperatorPointer controlled(const char* name, const Operator& op) {
  std::vector<Complex> elements(16);
  elements[0] = elements[5] = 1;
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 2; ++column)
      elements[(2 + row) * 4 + 2 + column] = op(row, column);
  return std::make_shared<Operator>(name, 2, 2, std::move(elements));
}

OperatorPointer phase(const char* name, double angle) {
  return std::make_shared<Operator>(name, 1, 2,
                                    std::vector<Complex>{1, 0, 0, std::polar(1.0, angle)});
}

/// Any gate on one site, up to its phase: RZ(phi) RY(theta) RZ(lambda) with determinant
/// exp(i (phi + lambda)).
OperatorPointer general(double theta, double phi, double lambda) {
  const double c = std::cos(theta / 2), s = std::sin(theta / 2);
  return std::make_shared<Operator>(
      "u", 1, 2,
      std::vector<Complex>{c, -std::polar(1.0, lambda) * s, std::polar(1.0, phi) * s,
                           std::polar(1.0, phi + lambda) * c});
}

void add_fixed(Kinds& kinds, const char* name, std::vector<Complex> elements) {
  const int n_sites = elements.size() == 4 ? 1 : 2;
  const auto op = std::make_shared<Operator>(name, n_sites, 2, std::move(elements));
  kinds[name] = {n_sites, 0, [op](const Angles&) { return op; }};
}

void add_fixed_gates(Kinds& kinds) {
  const double r = 1 / std::numbers::sqrt2;
  const Complex t = std::polar(1.0, std::numbers::pi / 4), up{0.5, 0.5}, down{0.5, -0.5};
  add_fixed(kinds, "i", {1, 0, 0, 1});
  add_fixed(kinds, "x", pauli_x);
  add_fixed(kinds, "y", pauli_y);
  add_fixed(kinds, "z", pauli_z);
  add_fixed(kinds, "h", {r, r, r, -r});
  add_fixed(kinds, "s", {1, 0, 0, i});
  add_fixed(kinds, "sdg", {1, 0, 0, -i});
  add_fixed(kinds, "t", {1, 0, 0, t});
  add_fixed(kinds, "tdg", {1, 0, 0, std::conj(t)});
  add_fixed(kinds, "sx", {up, down, down, up});
  add_fixed(kinds, "sxdg", {down, up, up, down});
  add_fixed(kinds, "swap", {1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1});
  add_fixed(kinds, "iswap", {1, 0, 0, 0, 0, 0, i, 0, 0, i, 0, 0, 0, 0, 0, 1});
  // (X1 - Y1 X2) / sqrt(2)
  const Complex ri = r * i;
  add_fixed(kinds, "ecr", {0, 0, r, ri, 0, 0, ri, r, r, -ri, 0, 0, -ri, r, 0, 0});
  for (const char* target : {"x", "y", "z", "h"}) {
    const std::string name = std::string("c") + target;
    const auto op = controlled(name.c_str(), *kinds[target].make({}));
    kinds[name] = {2, 0, [op](const Angles&) { return op; }};
  }
}

Kinds make_kinds() {
  Kinds kinds;
  add_fixed_gates(kinds);
  using Rotation = OperatorPointer (*)(double);
  const auto add = [&](const char* name, int n_sites, Rotation make) {
    kinds[name] = {n_sites, 1, [make](const Angles& angles) { return make(angles[0]); }};
  };
  add("rx", 1, rx), add("ry", 1, ry), add("rz", 1, rz);
  add("rxx", 2, rxx), add("ryy", 2, ryy), add("rzz", 2, rzz), add("rzx", 2, rzx);
  add("p", 1, [](double angle) { return phase("p", angle); });
  add("cp", 2, [](double angle) { return controlled("cp", *phase("p", angle)); });
  add("crx", 2, [](double angle) { return controlled("crx", *rx(angle)); });
  add("cry", 2, [](double angle) { return controlled("cry", *ry(angle)); });
  add("crz", 2, [](double angle) { return controlled("crz", *rz(angle)); });
  kinds["u"] = {1, 3, [](const Angles& a) { return general(a[0], a[1], a[2]); }};
  return kinds;
}

}  // namespace

const Kinds& gate_kinds() {
  static const Kinds kinds = make_kinds();
  return kinds;
}

OperatorPointer fixed_gate(const std::string& name) {
  const auto found = gate_kinds().find(name);
  const bool is_fixed = found != gate_kinds().end() && found->second.n_angles == 0;
  return is_fixed ? found->second.make({}) : nullptr;
}

}  // namespace rankine::circuit
