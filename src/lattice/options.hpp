// The [lattice] section of a deck.
#pragma once

#include <cstdint>
#include <string>

#include "deck/schema.hpp"
#include "lattice/graph.hpp"

namespace rankine::lattice {

struct LatticeOptions {
  std::string name;
  std::int64_t rows = 7;
  std::int64_t row_length = 15;
  std::string file;
  std::int64_t n_sites = 0;
};

/// Declares [lattice] and its cross rules.
void declare_keywords(deck::Schema& schema, LatticeOptions& options);

/// The graph the deck asks for. InputError as in lattices.hpp.
Graph make_lattice(const LatticeOptions& options);

}  // namespace rankine::lattice
