// The lattices a deck can name: IBM's heavy-hex processors, the infinite heavy-hex lattice, and
// edge lists from files.
#pragma once

#include <filesystem>

#include "lattice/graph.hpp"

namespace rankine::lattice {

/// Heavy-hex lattice in the numbering of IBM's Eagle: `rows` rows of `row_length` sites, the first
/// row without its last site, the last without its first, joined by bridge sites at columns 0, 4,
/// 8, ... (even gaps) and 2, 6, 10, ... (odd gaps); numbered row, its bridges, next row. Edges are
/// sorted and coloured greedily. Needs rows >= 2 and row_length >= 3 (InputError).
Graph heavy_hex(int rows, int row_length, std::string name = "heavy-hex");

Graph eagle();   ///< 127 sites, 144 edges
Graph osprey();  ///< 433 sites, 504 edges
Graph condor();  ///< 1121 sites, 1320 edges

/// The primitive cell of the infinite heavy-hex lattice, wrapped onto itself: sites 0 and 1 have
/// degree 3, the bridges 2, 3, 4 join them. Bond updates with a mean-field environment cannot tell
/// it from the infinite lattice, whose cell it is (Graph::is_cell).
Graph infinite_heavy_hex();

/// Reads lines "a b [colour]" (0-based sites; `#` starts a comment). `n_sites` = 0 takes the
/// largest site plus one. Either all lines have a colour or none has; without colours they are
/// chosen greedily. InputError names file and line: unreadable, not integers, self loop, duplicate,
/// site out of range, improper colouring.
Graph read_edge_list(const std::filesystem::path& file, int n_sites = 0);

}  // namespace rankine::lattice
