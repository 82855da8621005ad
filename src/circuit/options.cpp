#include "circuit/options.hpp"

#include <fmt/format.h>

#include "core/errors.hpp"
#include "core/input_file.hpp"

namespace rankine::circuit {

void declare_keywords(deck::Schema& schema, CircuitOptions& options) {
  auto section = schema.section("circuit", "The gates, in steps between which one may measure.");
  section.keyword("name", options.name)
      .choices({"kicked-ising", "gate-list"})
      .describe(
          "kicked-ising: each step is RX(theta_h) on every site, then RZZ(theta_j) on every edge; "
          "gate-list: gates from file.");
  section.keyword("steps", options.steps)
      .range(1, 1000000)
      .describe("Trotter steps of the kicked Ising model; a gate list counts its own.");
  section.keyword("theta_h", options.theta_h)
      .unit("rad")
      .describe(
          "Kick angle, exp(-i theta_h X/2); a list gives one point each. Gate lists may use it as "
          "an angle.");
  section.keyword("theta_j", options.theta_j)
      .unit("rad")
      .describe("Coupling angle, exp(-i theta_j ZZ/2). Gate lists may use it as an angle.");
  section.keyword("final_rx_layer", options.final_rx_layer)
      .describe("Apply one more RX(theta_h) layer after the last step of the kicked Ising model.");
  section.keyword("file", options.file)
      .describe(
          "Gate list for name = \"gate-list\": one gate per line, \"rx 3 theta_h\" or \"cz 0 1\"; "
          "\"step\" ends a step.");
  schema.check([&options](deck::Findings& findings) {
    if (options.name == "gate-list" && options.file.empty())
      findings.add("circuit.file", {"circuit.file is not set", "circuit.name is \"gate-list\"",
                                    "Name the file with the gates."});
    if (options.name != "gate-list")
      findings.expect_unused("circuit.file", "only circuit.name = \"gate-list\" reads it",
                             "Remove it or change the name.");
    if (options.name == "gate-list")
      for (const char* key : {"circuit.steps", "circuit.final_rx_layer"})
        findings.expect_unused(key, "it belongs to the kicked Ising model",
                               "Write the gates into the gate list.");
  });
}

std::string load_circuit(const CircuitOptions& options) {
  if (options.name != "gate-list") return {};
  try {
    return read_input(options.file);
  } catch (const UnreadableInput& error) {
    throw InputError(
        fmt::format("gate list {} cannot be read ({}). Check the path in [circuit] file.",
                    options.file, error.reason()));
  }
}

ParametricCircuit make_circuit(const CircuitOptions& options, std::string_view file_text,
                               int n_sites, std::span<const std::pair<int, int>> edges) {
  if (options.name == "gate-list")
    return parse_gate_list(file_text, options.file, n_sites, {"theta_h", "theta_j"});
  return kicked_ising(options.steps, options.final_rx_layer, n_sites, edges);
}

}  // namespace rankine::circuit
