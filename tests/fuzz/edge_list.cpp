// Edge lists: lattices from files.
#include "lattice/lattices.hpp"
#include "lattice/partition.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

void read_edges(const std::string& text, const fs::path& folder) {
  const lattice::Graph graph = lattice::read_edge_list(write_file(folder / "graph.edges", text), 0);
  graph.pairs_by_colour();
}

}  // namespace

Target edge_lists() {
  return {.name = "edges",
          .seeds = {"0 1\n0 2\n1 3\n1 4\n2 5\n2 6\n", "0 1 0\n1 2 1\n2 3 0\n3 0 1\n",
                    "# a kite\n0 1\n1 2 # side\n2 0\n\n2 3\r\n3 4\n\t4  5\n",
                    project_file("inputs/smoke/tree.edges"),
                    project_file("tests/data/heavyhex_eagle127.edges")},
          .words = {"0 1\n", "1 0\n", "0 1 2\n", "9999999", "10000000", "#", "\r\n", "\t",
                    "\xef\xbb\xbf", "0 0\n", "-1", "+1", "1.0", "0x1", "\v", std::string(1, '\0')},
          .read = read_edges};
}

}  // namespace rankine::fuzz
