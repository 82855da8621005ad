// Reading circuits from files, one gate per line.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "circuit/circuit.hpp"
#include "core/errors.hpp"

namespace rankine::circuit {

namespace {

using Rotation = OperatorPointer (*)(double);
const std::map<std::string, std::pair<Rotation, int>> rotations{
    {"rx", {rx, 1}},   {"ry", {ry, 1}},   {"rz", {rz, 1}},
    {"rxx", {rxx, 2}}, {"ryy", {ryy, 2}}, {"rzz", {rzz, 2}}};

class GateListReader {
 public:
  GateListReader(std::filesystem::path file, int n_sites, double theta_h, double theta_j)
      : file_(std::move(file)),
        n_sites_(n_sites),
        angles_{{"theta_h", theta_h},
                {"-theta_h", -theta_h},
                {"theta_j", theta_j},
                {"-theta_j", -theta_j}} {}

  Circuit read() {
    std::ifstream stream(file_);
    if (!stream || std::filesystem::is_directory(file_))
      throw InputError(fmt::format("gate list {} cannot be read. Check the path in [circuit] file.",
                                   file_.string()));
    Step step;
    for (std::string line; std::getline(stream, line);) {
      ++line_number_;
      line.resize(std::min(line.find('#'), line.size()));
      std::istringstream stream_of_words(line);
      std::vector<std::string> words;
      for (std::string word; stream_of_words >> word;) words.push_back(word);
      if (words.empty()) continue;
      if (words.front() == "step" && words.size() == 1)
        circuit_.steps.push_back(std::exchange(step, {}));
      else
        step.push_back(gate(words));
    }
    if (!step.empty()) circuit_.steps.push_back(std::move(step));
    if (circuit_.steps.empty())
      throw InputError(
          fmt::format("gate list {} holds no gate. Write one per line, for example \"rx 0 0.5\".",
                      file_.string()));
    return std::move(circuit_);
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError(fmt::format("{}:{}: {}", file_.string(), line_number_, message));
  }

  Gate gate(const std::vector<std::string>& words) {
    const auto rotation = rotations.find(words[0]);
    const bool turns = rotation != rotations.end();
    const OperatorPointer fixed = turns ? nullptr : named(words[0]);
    if (!turns && !fixed)
      refuse(
          fmt::format("unknown gate \"{}\". Known: rx ry rz rxx ryy rzz (with an angle), i x y z h "
                      "s sdg t tdg cx cz swap, and step.",
                      words[0]));
    const int n_sites = turns ? rotation->second.second : fixed->n_sites();
    const std::size_t n_words = 1 + n_sites + (turns ? 1 : 0);
    if (words.size() != n_words)
      refuse(fmt::format("gate {} takes {} site{}{}.", words[0], n_sites, n_sites == 1 ? "" : "s",
                         turns ? " and an angle" : ""));
    Gate gate;
    for (int k = 0; k < n_sites; ++k) gate.sites[k] = site(words[1 + k]);
    if (n_sites == 2 && gate.sites[0] == gate.sites[1])
      refuse(fmt::format("gate {} acts twice on site {}. A two-site gate needs two sites.",
                         words[0], gate.sites[0]));
    gate.op = turns ? turned(rotation->first, rotation->second.first, angle(words.back())) : fixed;
    return gate;
  }

  /// Gates of one kind and angle share their operator.
  OperatorPointer turned(const std::string& name, Rotation rotation, double value) {
    auto& op = shared_[{name, value}];
    if (!op) op = rotation(value);
    return op;
  }

  OperatorPointer named(const std::string& name) {
    auto& op = shared_[{name, 0.0}];
    if (!op) op = fixed_gate(name);
    return op;
  }

  int site(const std::string& word) const {
    int value = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size())
      refuse(fmt::format("\"{}\" is no site. Sites are numbers from 0 to {}.", word, n_sites_ - 1));
    if (value < 0 || value >= n_sites_)
      refuse(fmt::format("site {} does not exist. The lattice has sites 0 to {}.", value,
                         n_sites_ - 1));
    return value;
  }

  double angle(const std::string& word) const {
    if (const auto symbol = angles_.find(word); symbol != angles_.end()) return symbol->second;
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
      refuse(fmt::format(
          "\"{}\" is no angle. Write radians, theta_h, -theta_h, theta_j or -theta_j.", word));
    return value;
  }

  std::filesystem::path file_;
  int n_sites_;
  std::map<std::string, double> angles_;
  int line_number_ = 0;
  Circuit circuit_;
  std::map<std::pair<std::string, double>, OperatorPointer> shared_;
};

}  // namespace

Circuit read_gate_list(const std::filesystem::path& file, int n_sites, double theta_h,
                       double theta_j) {
  return GateListReader(file, n_sites, theta_h, theta_j).read();
}

}  // namespace rankine::circuit
