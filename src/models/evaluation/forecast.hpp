// How much memory a rank needs to score or continue text, before anything is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "models/evaluation/evaluation.hpp"
#include "run/machine.hpp"

namespace rankine::models {

/// Bytes of the largest rank, as upper bounds.
struct MemoryForecast {
  double row_blocks = 0;   ///< weights of the model, and of the reference model
  double activations = 0;  ///< of one window, with a chunk of logits and blocks of scores
  double program = 0;      ///< a constant: program, libraries, MPI buffers

  double total() const { return row_blocks + activations + program; }
};

/// What a program of this kind has resident without a model, in bytes; measured, rounded up.
inline constexpr double program_bytes = 300e6;

/// The forecast against what a rank may use: an equal share of its node, unless the deck sets a
/// limit.
struct MemoryPlan {
  MemoryForecast forecast;
  double allowed = 0;  ///< bytes; 0 when unknown
  int ranks_per_team = 1;
  bool is_double = false;    ///< float32 would need half
  int sufficient_ranks = 0;  ///< of one team, where these are too few; 0 when no number is found

  std::string line() const;
  /// Throws ResourceError when the forecast exceeds what is allowed.
  void require() const;
};
MemoryPlan plan_memory(const EvaluationJob& job, const run::Machine& machine);
/// The same without the advice, for those who ask often.
MemoryPlan weigh_memory(const EvaluationJob& job, const run::Machine& machine);

}  // namespace rankine::models
