// The sections that every program's deck has: [run], [parallel], [output].
#pragma once

#include <cstdint>
#include <string>

#include "deck/schema.hpp"

namespace rankine::run {

/// How a long run is stopped and goes on.
struct RunOptions {
  std::string directory;             ///< of restart data; empty for none
  double checkpoint_interval = 600;  ///< seconds
  double wall_time_limit = 0;        ///< seconds; 0 for none
  std::int64_t keep = 2;             ///< states of one computation
};

struct ParallelOptions {
  std::int64_t teams = 1;
  double memory_per_rank = 0;  ///< GiB; 0 for an equal share of what the node has left
};

void declare_run(deck::Schema& schema, RunOptions& options);

/// `teams` is the sentence that says what a team does. Where `options` has 0 of them, a deck may
/// say 0, which its program gives a meaning.
void declare_parallel(deck::Schema& schema, ParallelOptions& options, std::string teams);

void declare_output(deck::Schema& schema, std::string& file);

}  // namespace rankine::run
