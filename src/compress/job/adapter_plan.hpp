// An adapter before a model is loaded: the weights it is put beside, whether it fits them, what it
// costs.
#pragma once

#include <cstdint>
#include <string>

#include "compress/job/compression_job.hpp"

namespace rankine::compress {

/// What an adapter holds, all its weights together.
struct AdapterCost {
  std::int64_t numbers = 0;
  std::int64_t bytes = 0;
  std::int64_t blocks = 0;  ///< 0 of LoRA
  std::int64_t qubits = 0;  ///< of a block as a circuit; 0 where its size is no power of two
};

/// The adapter beside the weight `name`.
weights::AdapterShape adapter_shape(const AdapterOptions& adapter, const std::string& name);

/// The largest learning rate: entries of a block that move alike turn it by a rotation that grows
/// as the root of its size, which is made up for.
double adapter_rate(const AdapterOptions& adapter);

AdapterCost adapter_cost(const CompressionJob& job);

/// The qubits of a block of this size; 0 where it is no power of two.
std::int64_t qubits_of(std::int64_t block);

/// The adapter and its cost, in one line: "cayley adapter (inputs, blocks of 4) ...".
std::string adapter_line(const CompressionJob& job);

/// Throws InputError: a block that does not divide a width, a weight with an adapter already, PEFT
/// files for weights that PEFT knows by other names, an original with other tokens.
void check_adapter(const CompressionJob& job);

/// Whether the folder of the model holds its config.json and no weights: enough to say what a job
/// takes, not to run.
bool is_outline(const CompressOptions& options);

}  // namespace rankine::compress
