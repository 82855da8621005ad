// The machine suite of rankine-bench: the machine at hand as the numbers that predictions of --check
// take, written as a machine file.
#pragma once

#include <cstdint>
#include <string>

#include "deck/schema.hpp"
#include "parallel/communicator.hpp"
#include "run/machine_model.hpp"

namespace rankine::bench {

struct MachineBenchOptions {
  std::string file;
  std::string title = "measured by rankine-bench machine";
  std::int64_t repeats = 3;
};

void declare_keywords(deck::Schema& schema, MachineBenchOptions& options);

/// Throws InputError for a file that cannot be written.
void check(const MachineBenchOptions& options);

/// Measures operations of libtorch.
void measure_tensors(run::SoftwareOptions& software, std::int64_t repeats);

/// Collective. Writes the file, or prints it on rank 0 where none is set. Latency and bandwidth of
/// messages are measured with several ranks.
void bench_machine(const MachineBenchOptions& options, const parallel::Communicator& world);

}  // namespace rankine::bench
