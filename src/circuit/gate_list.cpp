// Reading circuits from the text of gate lists, one gate per line.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "circuit/parametric_circuit.hpp"
#include "core/errors.hpp"
#include "core/text_format.hpp"
#include "core/text_lines.hpp"

namespace rankine::circuit {

namespace {

class GateListReader {
 public:
  GateListReader(const std::string& file, int n_sites, const std::vector<std::string>& parameters)
      : file_(file), n_sites_(n_sites), parameters_(parameters), circuit_(file) {}

  ParametricCircuit read(std::string_view text) {
    for_each_line(text, [&](int number, std::string_view line) {
      line_number_ = number;
      take(words_of(line));
    });
    if (!circuit_.is_at_step()) circuit_.end_step();
    if (circuit_.n_steps() == 0)
      throw InputError(fmt::format(
          "gate list {} holds no gate. Write one per line, for example \"rx 0 0.5\".", file_));
    return std::move(circuit_);
  }

 private:
  using Words = std::vector<std::string_view>;

  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError(fmt::format("{}:{}: {}", file_, line_number_, message));
  }

  void take(const Words& words) {
    if (words.empty()) return;
    if (words.front() == "step" && words.size() == 1)
      circuit_.end_step();
    else
      add_gate(words);
  }

  void add_gate(const Words& words) {
    const auto found = gate_kinds().find(words[0]);
    if (found == gate_kinds().end()) refuse_unknown(words[0]);
    const GateKind& kind = found->second;
    const auto n_sites = static_cast<std::size_t>(kind.n_sites);
    if (words.size() != 1 + n_sites + static_cast<std::size_t>(kind.n_angles))
      refuse(fmt::format("gate {} takes {}{}.", words[0], counted(kind.n_sites, "site"),
                         kind.n_angles == 0   ? ""
                         : kind.n_angles == 1 ? " and an angle"
                                              : " and " + counted(kind.n_angles, "angle")));
    std::array<int, 2> sites{-1, -1};
    for (std::size_t k = 0; k < n_sites; ++k) sites[k] = site(words[1 + k]);
    if (n_sites == 2 && sites[0] == sites[1])
      refuse(fmt::format("gate {} acts twice on site {}. A two-site gate needs two sites.",
                         words[0], sites[0]));
    std::vector<Angle> angles;
    for (std::size_t k = 1 + n_sites; k < words.size(); ++k) angles.push_back(angle(words[k]));
    circuit_.add(words[0], sites, std::move(angles), line_number_);
  }

  [[noreturn]] void refuse_unknown(std::string_view name) const {
    std::vector<std::string> without, with;
    for (const auto& [known, kind] : gate_kinds())
      (kind.n_angles == 0 ? without : with).push_back(known);
    refuse(fmt::format("unknown gate \"{}\". Known: {} (with angles), {}, and step.", name,
                       fmt::join(with, " "), fmt::join(without, " ")));
  }

  int site(std::string_view word) const {
    int value = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size())
      refuse(fmt::format("\"{}\" is no site. Sites are numbers from 0 to {}.", word, n_sites_ - 1));
    if (value < 0 || value >= n_sites_)
      refuse(fmt::format("site {} does not exist. The lattice has sites 0 to {}.", value,
                         n_sites_ - 1));
    return value;
  }

  Angle angle(std::string_view word) const {
    auto angle = Angle::parse(word);
    const auto is_known = [&](const std::string& name) {
      return std::ranges::count(parameters_, name) > 0;
    };
    if (!angle || !std::ranges::all_of(angle->parameters(), is_known))
      refuse(fmt::format("\"{}\" is no angle. Write radians: 0.25, -3*pi/4, theta_h, -theta_j/2.",
                         word));
    return *std::move(angle);
  }

  const std::string& file_;
  int n_sites_;
  const std::vector<std::string>& parameters_;
  int line_number_ = 0;
  ParametricCircuit circuit_;
};

}  // namespace

ParametricCircuit parse_gate_list(std::string_view text, const std::string& file, int n_sites,
                                  const std::vector<std::string>& parameters) {
  return GateListReader(file, n_sites, parameters).read(text);
}

}  // namespace rankine::circuit
