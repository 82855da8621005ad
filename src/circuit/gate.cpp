#include "circuit/gate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numbers>

#include "core/errors.hpp"

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
    throw InputError(
        fmt::format("gate {} has {} elements on {} sites of dimension {}. A gate acts on one or "
                    "two sites and has "
                    "(dimension^sites)^2 elements.",
                    name_, elements_.size(), n_sites, dimension));
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

std::optional<std::array<OperatorPointer, 2>> product_factors(const Operator& op) {
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
      if (std::abs(regrouped(x, y) - a[x] * b[y]) > 1e-14 * std::abs(pivot)) return std::nullopt;
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

OperatorPointer fixed_gate(const std::string& name) {
  const double r = 1 / std::numbers::sqrt2;
  const Complex t = std::polar(1.0, std::numbers::pi / 4);
  static const std::map<std::string, std::vector<Complex>> known{
      {"i", {1, 0, 0, 1}},
      {"x", pauli_x},
      {"y", pauli_y},
      {"z", pauli_z},
      {"h", {r, r, r, -r}},
      {"s", {1, 0, 0, i}},
      {"sdg", {1, 0, 0, -i}},
      {"t", {1, 0, 0, t}},
      {"tdg", {1, 0, 0, std::conj(t)}},
      {"cx", {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0}},
      {"cz", {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1}},
      {"swap", {1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1}}};
  const auto found = known.find(name);
  if (found == known.end()) return nullptr;
  const int n_sites = found->second.size() == 4 ? 1 : 2;
  return std::make_shared<Operator>(name, n_sites, 2, found->second);
}

}  // namespace rankine::circuit
