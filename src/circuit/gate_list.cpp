// Reading circuits from files, one gate per line.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <map>
#include <utility>

#include "circuit/angle.hpp"
#include "circuit/circuit.hpp"
#include "core/errors.hpp"
#include "core/input_file.hpp"
#include "core/text_format.hpp"
#include "core/text_lines.hpp"

namespace rankine::circuit {

std::string load_gate_list(const std::filesystem::path& file) {
  try {
    return read_input(file);
  } catch (const UnreadableInput& error) {
    throw InputError(
        fmt::format("gate list {} cannot be read ({}). Check the path in [circuit] file.",
                    file.string(), error.reason()));
  }
}

namespace {

class GateListReader {
 public:
  GateListReader(std::filesystem::path file, int n_sites, double theta_h, double theta_j)
      : file_(std::move(file)),
        n_sites_(n_sites),
        symbols_{{"theta_h", theta_h}, {"theta_j", theta_j}} {}

  Circuit read() {
    circuit_.uses_theta_h = circuit_.uses_theta_j = false;
    for_each_line(load_gate_list(file_), [&](int number, std::string_view line) {
      line_number_ = number;
      take(words_of(line));
    });
    if (!step_.empty()) circuit_.steps.push_back(std::move(step_));
    if (circuit_.steps.empty())
      throw InputError(
          fmt::format("gate list {} holds no gate. Write one per line, for example \"rx 0 0.5\".",
                      file_.string()));
    return std::move(circuit_);
  }

 private:
  using Words = std::vector<std::string_view>;

  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError(fmt::format("{}:{}: {}", file_.string(), line_number_, message));
  }

  void take(const Words& words) {
    if (words.empty()) return;
    if (words.front() == "step" && words.size() == 1)
      circuit_.steps.push_back(std::exchange(step_, {}));
    else
      step_.push_back(gate(words));
  }

  Gate gate(const Words& words) {
    const auto found = gate_kinds().find(words[0]);
    if (found == gate_kinds().end()) refuse_unknown(words[0]);
    const GateKind& kind = found->second;
    const auto n_sites = static_cast<std::size_t>(kind.n_sites);
    if (words.size() != 1 + n_sites + static_cast<std::size_t>(kind.n_angles))
      refuse(fmt::format("gate {} takes {}{}.", words[0], counted(kind.n_sites, "site"),
                         kind.n_angles == 0   ? ""
                         : kind.n_angles == 1 ? " and an angle"
                                              : " and " + counted(kind.n_angles, "angle")));
    Gate gate;
    for (std::size_t k = 0; k < n_sites; ++k) gate.sites[k] = site(words[1 + k]);
    if (n_sites == 2 && gate.sites[0] == gate.sites[1])
      refuse(fmt::format("gate {} acts twice on site {}. A two-site gate needs two sites.",
                         words[0], gate.sites[0]));
    std::vector<double> angles;
    for (std::size_t k = 1 + n_sites; k < words.size(); ++k) angles.push_back(angle(words[k]));
    auto& op = shared_[{found->first, angles}];
    if (!op) op = kind.make(angles);
    gate.op = op;
    return gate;
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

  double angle(std::string_view word) {
    const auto value = evaluate_angle(word, symbols_);
    if (!value)
      refuse(fmt::format("\"{}\" is no angle. Write radians: 0.25, -3*pi/4, theta_h, -theta_j/2.",
                         word));
    circuit_.uses_theta_h |= word.find("theta_h") != std::string_view::npos;
    circuit_.uses_theta_j |= word.find("theta_j") != std::string_view::npos;
    return *value;
  }

  std::filesystem::path file_;
  int n_sites_;
  std::map<std::string, double, std::less<>> symbols_;
  int line_number_ = 0;
  Step step_;
  Circuit circuit_;
  /// Gates of one kind and angle share their operator.
  std::map<std::pair<std::string, std::vector<double>>, OperatorPointer> shared_;
};

}  // namespace

Circuit read_gate_list(const std::filesystem::path& file, int n_sites, double theta_h,
                       double theta_j) {
  return GateListReader(file, n_sites, theta_h, theta_j).read();
}

}  // namespace rankine::circuit
