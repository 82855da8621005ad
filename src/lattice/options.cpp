#include "lattice/options.hpp"

#include <fmt/format.h>

#include "lattice/lattices.hpp"

namespace rankine::lattice {

void declare_keywords(deck::Schema& schema, LatticeOptions& options) {
  auto section = schema.section("lattice", "The graph of sites the circuit acts on.");
  section.keyword("name", options.name)
      .required()
      .choices({"eagle", "osprey", "condor", "infinite-heavy-hex", "heavy-hex", "edge-list"})
      .describe("Which lattice; heavy-hex takes rows and row_length, edge-list takes file.");
  section.keyword("rows", options.rows)
      .range(2, 1000)
      .describe("Rows of sites of a heavy-hex lattice (Eagle 7, Osprey 13, Condor 21).");
  section.keyword("row_length", options.row_length)
      .range(3, 1000)
      .describe("Sites of a full row of a heavy-hex lattice (Eagle 15, Osprey 27, Condor 43).");
  section.keyword("file", options.file)
      .describe(
          "Edge list for name = \"edge-list\": lines \"a b [colour]\", sites from 0, # starts a "
          "comment.");
  section.keyword("n_sites", options.n_sites)
      .range(0, 10000000)
      .describe("Number of sites of an edge list; 0 takes the largest site in the file plus one.");
  schema.check([&options](deck::Findings& findings) {
    if (options.name == "edge-list" && options.file.empty())
      findings.add("lattice.file", {"lattice.file is not set", "lattice.name is \"edge-list\"",
                                    "Name the file with the edges."});
    const auto belongs_to = [&](const char* name, std::initializer_list<const char*> keys) {
      for (const char* key : keys)
        if (options.name != name)
          findings.expect_unused(key, fmt::format("only lattice.name = \"{}\" reads it", name),
                                 "Remove it or change the name.");
    };
    belongs_to("edge-list", {"lattice.file", "lattice.n_sites"});
    belongs_to("heavy-hex", {"lattice.rows", "lattice.row_length"});
  });
}

Graph make_lattice(const LatticeOptions& options) {
  if (options.name == "eagle") return eagle();
  if (options.name == "osprey") return osprey();
  if (options.name == "condor") return condor();
  if (options.name == "infinite-heavy-hex") return infinite_heavy_hex();
  if (options.name == "edge-list")
    return read_edge_list(options.file, static_cast<int>(options.n_sites));
  return heavy_hex(static_cast<int>(options.rows), static_cast<int>(options.row_length));
}

}  // namespace rankine::lattice
