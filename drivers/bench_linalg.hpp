// The linalg suite of rankine-bench: truncated SVDs by every method, tall QR and eigenproblems,
// beside the machine's matrix-product rate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deck/schema.hpp"
#include "linalg/svd/options.hpp"
#include "parallel/communicator.hpp"

namespace rankine::bench {

struct LinalgBenchOptions {
  std::vector<std::string> shapes{"512x512", "1024x1024", "2048x2048", "1536x576"};
  std::vector<std::string> tall_shapes{"200000x576"};
  std::vector<std::string> methods{"lapack", "gram", "randomized", "trlanczos", "automatic"};
  std::vector<std::string> spectra{"algebraic"};
  std::vector<std::string> types{"float64", "float32"};
  std::vector<std::int64_t> ranks_kept{0, 64};
  std::int64_t repeats = 3;
  std::int64_t warm_up = 1;
  bool check = false;
  bool calibrate = false;
  std::string file;
  linalg::LinalgOptions linalg;
};

void declare_keywords(deck::Schema& schema, LinalgBenchOptions& options);

/// InputError for a shape that is none, or a file that cannot be written; ResourceError unless
/// every matrix fits the memory of the nodes.
void check(const LinalgBenchOptions& options, int n_nodes);

/// Collective. Prints a table on rank 0, and writes `options.file` where that is set.
/// NumericalError when a check finds factors beyond their tolerance.
void bench_linalg(const LinalgBenchOptions& options, const parallel::Communicator& world);

}  // namespace rankine::bench
