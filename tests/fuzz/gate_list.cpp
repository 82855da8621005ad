// Gate lists: circuits from files, and what is done to a circuit before it runs.
#include "circuit/parametric_circuit.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

void read_gates(const std::string& text, const fs::path&) {
  constexpr int n_sites = 7;
  const circuit::Circuit circuit =
      circuit::parse_gate_list(text, "circuit.gates", n_sites, {"theta_h", "theta_j"})
          .bind({{"theta_h", 0.3}, {"theta_j", -0.5}});
  const circuit::Circuit fused = circuit::fused(circuit, n_sites);
  for (const circuit::Step& step : fused.steps) circuit::layers(step, n_sites);
}

}  // namespace

Target gate_lists() {
  return {
      .name = "gates",
      .seeds = {"rx 0 theta_h\ncx 0 1\ncx 0 2\nstep\ncx 1 3\ncx 1 4\ncx 2 5\ncx 2 6\nstep\n",
                "h 0\nx 1\ny 2\nz 3\ns 4\nsdg 5\nt 6\ntdg 0\ni 1\ncx 0 1\ncz 1 2\nswap 2 3\nstep\n"
                "rx 0 0.5\nry 1 -0.5\nrz 2 1e-3\nrxx 0 1 theta_h\nryy 2 3 -theta_j\nrzz 5 6 3.14\n",
                "# comment\nrzz 0 1 theta_j # more\n\nstep\nstep\nrx 6 -theta_h\r\n",
                project_file("inputs/smoke/cat_state.gates")},
      .words = {"rzz 0 1 0\n", "rx 0 1e308\n", "step\n",   "pi/2",
                "-3*pi/4",     "+0.4",         "1e-400",   "nan",
                "inf",         "pi",           "2*pi",     "pi*pi",
                "pi/0",        "0/0",          "theta_h",  "-theta_j",
                "--theta_h",   "u 0 1 2 3\n",  "sx 0\n",   "cp 0 1 pi\n",
                "ecr 0 1\n",   "iswap 1 2\n",  "p 0 pi\n", "\xef\xbb\xbf",
                "#",           "\r\n",         "\t"},
      .read = read_gates};
}

}  // namespace rankine::fuzz
