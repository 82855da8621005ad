// The images suite of rankine-bench: convolutions dense and in Tucker form beside the machine's
// rates, and training and evaluation of whole networks beside bare libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deck/schema.hpp"
#include "parallel/communicator.hpp"

namespace rankine::bench {

struct ImageBenchOptions {
  std::vector<std::int64_t> channels{16, 32, 64, 128};
  std::vector<std::int64_t> sizes{32, 16, 8, 8};
  std::vector<double> ranks{0.25, 0.5, 0.75};
  std::vector<std::string> networks{"resnet-20", "t-cnn", "slice"};
  std::int64_t batch_size = 64;
  std::int64_t images = 256;
  std::int64_t repeats = 5;
  std::string file;
};

void declare_keywords(deck::Schema& schema, ImageBenchOptions& options);

/// InputError for sizes that are not one for each layer, or a file that cannot be written;
/// ResourceError unless activations and images fit the memory of a node.
void check(const ImageBenchOptions& options);

/// Collective: networks are trained over all ranks, each with `threads` threads; the rest is
/// measured on rank 0. Prints a table there, and writes `options.file` where that is set.
void bench_images(const ImageBenchOptions& options, const parallel::Communicator& world,
                  int threads);

}  // namespace rankine::bench
