#include "circuit/pauli.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <sstream>

#include "core/contracts.hpp"
#include "core/errors.hpp"

namespace rankine::circuit {

namespace {

constexpr std::string_view letters = "IXYZ";

/// Element (row, column) of a one-site Pauli matrix; letter 'I' is the identity.
Complex element(char letter, int row, int column) {
  switch (letter) {
    case 'X':
      return row != column ? 1 : 0;
    case 'Y':
      return row == column ? Complex{} : Complex{0, row == 0 ? -1.0 : 1.0};
    case 'Z':
      return row != column ? 0 : row == 0 ? 1 : -1;
    default:
      return row == column ? 1 : 0;
  }
}

using Dense = std::vector<Complex>;

/// The dense matrix of Pauli letters on the sites of one gate; the first site is the slow index.
Dense dense(const std::string& word) {
  const int n = 1 << word.size();
  Dense out(n * n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column) {
      Complex value = 1;
      for (std::size_t k = 0; k < word.size(); ++k) {
        const std::size_t shift = word.size() - 1 - k;
        value *= element(word[k], (row >> shift) & 1, (column >> shift) & 1);
      }
      out[row * n + column] = value;
    }
  return out;
}

Dense conjugated(const Operator& u, const Dense& p) {
  const int n = u.size();
  Dense out(n * n);
  for (int a = 0; a < n; ++a)
    for (int b = 0; b < n; ++b)
      for (int r = 0; r < n; ++r)
        for (int s = 0; s < n; ++s) out[a * n + b] += std::conj(u(r, a)) * p[r * n + s] * u(s, b);
  return out;
}

/// +-1 when `matrix` is plus or minus the Pauli word, 0 otherwise.
int sign_of(const Dense& matrix, const Dense& word) {
  for (int sign : {1, -1}) {
    double distance = 0;
    for (std::size_t k = 0; k < word.size(); ++k)
      distance = std::max(distance, std::abs(matrix[k] - double(sign) * word[k]));
    if (distance < 1e-12) return sign;
  }
  return 0;
}

}  // namespace

std::vector<int> PauliString::support() const {
  std::vector<int> sites;
  for (const auto& [site, letter] : letters) sites.push_back(site);
  return sites;
}

std::string PauliString::text() const {
  std::string out;
  for (const auto& [site, letter] : letters)
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", letter, site);
  return out;
}

PauliString parse_pauli_string(const std::string& text, int n_sites) {
  PauliString string;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    int site = 0;
    const char* last = word.data() + word.size();
    const auto [end, error] = std::from_chars(word.data() + 1, last, site);
    if (word.find_first_of("XYZ") != 0 || word.size() < 2 || error != std::errc{} || end != last)
      throw InputError(
          fmt::format("observable \"{}\": \"{}\" is no Pauli letter with a site. Write "
                      "\"magnetization\" or a string "
                      "such as \"Z62\" or \"X13 Y9 Z8\".",
                      text, word));
    if (site < 0 || site >= n_sites)
      throw InputError(fmt::format(
          "observable \"{}\" names site {}, which does not exist. The lattice has sites 0 to {}.",
          text, site, n_sites - 1));
    if (!string.letters.emplace(site, word[0]).second)
      throw InputError(fmt::format(
          "observable \"{}\" names site {} twice. Multiply the two letters.", text, site));
  }
  if (string.letters.empty())
    throw InputError(
        "an observable is empty. Write \"magnetization\" or a Pauli string such as \"Z62\".");
  return string;
}

const Operator& pauli_operator(char letter) {
  static const OperatorPointer x = fixed_gate("x"), y = fixed_gate("y"), z = fixed_gate("z");
  RANKINE_EXPECTS(letter >= 'X' && letter <= 'Z', "X, Y and Z are the Pauli letters");
  return letter == 'X' ? *x : letter == 'Y' ? *y : *z;
}

std::optional<PauliString> pull_back(const PauliString& string, const Gate& gate) {
  std::string word;
  for (int k = 0; k < gate.n_sites(); ++k) {
    const auto found = string.letters.find(gate.sites[k]);
    word += found == string.letters.end() ? 'I' : found->second;
  }
  if (word.find_first_not_of('I') == std::string::npos) return string;
  if (gate.op->dimension() != 2) return std::nullopt;
  const Dense image = conjugated(*gate.op, dense(word));
  const int n_words = gate.n_sites() == 1 ? 4 : 16;
  for (int index = 0; index < n_words; ++index) {
    const std::string candidate = gate.n_sites() == 1
                                      ? std::string{letters[index]}
                                      : std::string{letters[index / 4], letters[index % 4]};
    const int sign = sign_of(image, dense(candidate));
    if (sign == 0) continue;
    PauliString result = string;
    result.sign *= sign;
    for (int k = 0; k < gate.n_sites(); ++k) {
      result.letters.erase(gate.sites[k]);
      if (candidate[k] != 'I') result.letters[gate.sites[k]] = candidate[k];
    }
    return result;
  }
  return std::nullopt;
}

}  // namespace rankine::circuit
