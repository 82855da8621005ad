// How much memory a rank needs to compress a model, before anything is loaded.
#pragma once

#include <string>
#include <vector>

#include "compress/decomposition/decomposition_plan.hpp"
#include "compress/job/compression_job.hpp"
#include "models/evaluation/forecast.hpp"

namespace rankine::compress {

/// Bytes of the largest rank, as upper bounds.
struct CompressionForecast {
  double row_blocks = 0;  ///< weights of the model
  double moments = 0;     ///< of inputs and output gradients, all at once, and of what is trained
  double components = 0;  ///< singular components of the weights this rank decomposes
  double working = 0;     ///< the largest of activations, decompositions and conversions under way
  double program = 0;

  double total() const { return row_blocks + moments + components + working + program; }
};

struct CompressionMemory {
  CompressionForecast forecast;
  double allowed = 0;        ///< bytes; 0 when unknown
  int sufficient_ranks = 0;  ///< the least number in whose equal shares it fits; 0 if none does

  std::string line() const;
  /// Throws ResourceError, naming the number of ranks that would do, when the forecast exceeds what
  /// is allowed.
  void require() const;
};

/// With parallel.memory_per_rank set, `sufficient_ranks` has that much for each rank; else the
/// ranks are taken to be on nodes of their own.
CompressionMemory plan_memory(const CompressionJob& job, const run::Machine& machine);

/// Numbers kept for a backward pass through all layers, for one window of so many tokens.
double gradient_activations(const models::ModelConfig& config, std::int64_t tokens);

/// The weights of the layers in groups as they are decomposed together.
std::vector<GroupShape> decomposition_groups(const CompressionJob& job);

/// Bytes that a rank may use while it decomposes, beside what it keeps; 0 if unknown.
/// `machine.node_bytes` is what the node has left once model and moments are there.
double left_for_decomposition(const CompressionJob& job, const run::Machine& machine);

}  // namespace rankine::compress
