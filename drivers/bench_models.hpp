// The models suite of rankine-bench: a language model as it is and with its layers in other forms,
// how fast it generates, scores and is trained, and what its weights take in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deck/schema.hpp"
#include "parallel/communicator.hpp"

namespace rankine::bench {

struct ModelBenchOptions {
  std::string model;
  std::vector<std::string> forms{"dense", "low-rank", "pivoted", "mpo", "clustered", "4-bit"};
  double ratio = 0.5;
  std::int64_t prompt = 128;
  std::int64_t tokens = 16;
  std::int64_t window = 512;
  std::int64_t training_window = 256;
  std::int64_t repeats = 3;
  std::string file;
};

void declare_keywords(deck::Schema& schema, ModelBenchOptions& options);

/// InputError without a model, or for a file that cannot be written.
void check(const ModelBenchOptions& options);

/// Collective: all ranks are one team. Prints a table on rank 0, and writes `options.file` there.
void bench_models(const ModelBenchOptions& options, const parallel::Communicator& world,
                  int threads);

}  // namespace rankine::bench
