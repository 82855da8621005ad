#include "circuit/circuit_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "core/text_lines.hpp"

namespace rankine::circuit {

namespace {

class TextOfSteps {
 public:
  void add(std::string step) {
    const auto [place, is_new] = places_.try_emplace(step, std::ssize(text_.steps));
    if (is_new) text_.steps.push_back(std::move(step));
    text_.order.push_back(place->second);
  }
  CircuitText finish() { return std::move(text_); }

 private:
  CircuitText text_;
  std::map<std::string, std::int64_t> places_;
};

CircuitText text_of_gate_list(const std::string& file) {
  TextOfSteps text;
  std::string step;
  for_each_line(load_gate_list(file), [&](int, std::string_view line) {
    const auto words = words_of(line);
    if (words.empty()) return;
    if (words.size() == 1 && words[0] == "step")
      text.add(std::exchange(step, {}));
    else
      step += fmt::format("{}\n", fmt::join(words, " "));
  });
  if (!step.empty()) text.add(std::move(step));
  return text.finish();
}

CircuitText text_of_kicked_ising(const CircuitOptions& options, int n_sites,
                                 std::span<const std::pair<int, int>> edges) {
  std::string kicks, couplings;
  for (int site = 0; site < n_sites; ++site) kicks += fmt::format("rx {} theta_h\n", site);
  for (const auto& [a, b] : edges) couplings += fmt::format("rzz {} {} theta_j\n", a, b);
  TextOfSteps text;
  for (std::int64_t s = 0; s < options.steps; ++s) {
    const bool kicks_again = options.final_rx_layer && s + 1 == options.steps;
    text.add(kicks + couplings + (kicks_again ? kicks : std::string()));
  }
  return text.finish();
}

}  // namespace

std::string CircuitText::gate_list() const {
  std::string text;
  for (const std::int64_t step : order) text += steps[static_cast<std::size_t>(step)] + "step\n";
  return text;
}

CircuitText circuit_text(const CircuitOptions& options, int n_sites,
                         std::span<const std::pair<int, int>> edges) {
  if (options.name == "gate-list") return text_of_gate_list(options.file);
  return text_of_kicked_ising(options, n_sites, edges);
}

}  // namespace rankine::circuit
