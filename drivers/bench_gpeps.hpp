// The gpeps suite of rankine-bench: one bond update, and whole runs, beside the machine's
// matrix-product rate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deck/schema.hpp"
#include "parallel/communicator.hpp"

namespace rankine::bench {

struct BenchOptions {
  std::vector<std::int64_t> bond_dimensions{16, 32, 64, 128, 256};
  std::vector<std::string> cases{"eagle-mz",          "condor-mz",     "eagle-z62",
                                 "eagle-z62-no-cone", "eagle-z62-256", "eagle-full-64"};
  std::int64_t repeats = 3;
  std::string precision = "complex128";
  std::string file;
};

void declare_keywords(deck::Schema& schema, BenchOptions& options);

/// Throws ResourceError unless the bond updates fit the memory of a node; InputError for a file
/// that cannot be written.
void check(const BenchOptions& options);

/// Seconds of an update of a bond of this dimension in complex128, the shortest of several.
double bond_update_seconds(std::int64_t bond, std::int64_t repeats);

/// Collective. Prints a table on rank 0, and writes `options.file` where that is set.
void bench_gpeps(const BenchOptions& options, const parallel::Communicator& world);

}  // namespace rankine::bench
