// What a deck of rankine-distill asks for a language model, before it is loaded.
#pragma once

#include <string>
#include <vector>

#include "compress/job/compression_job.hpp"
#include "deck/difference.hpp"
#include "distill/memory.hpp"
#include "distill/options.hpp"
#include "distill/slices.hpp"

namespace rankine::distill {

struct LanguageDistillJob {
  DistillOptions options;
  compress::CompressionJob compression;  ///< to the fit, without healing
  compress::TokenWindows windows;        ///< that are trained on; none in mode fit-only
  std::vector<StageLayout> stages;
  std::vector<Slice> slices;
  int teams = 0;         ///< 0 until `use_ranks`
  DistillMemory memory;  ///< as planned

  /// Samples that slices are trained on, the held-out ones included.
  std::int64_t samples() const { return std::ssize(windows); }
};

/// Without MPI: what compress::prepare_compression does, cuts the model into slices and the text
/// into windows. Throws InputError.
LanguageDistillJob prepare_language_distillation(const DistillOptions& options);

/// Throws InputError where the model has a config.json only: that can be checked, not run.
void require_weights(const LanguageDistillJob& job);

/// Settles how many teams there are on so many ranks: where the deck leaves it open a team of each
/// rank, but no more of them than windows whose activations are measured.
void use_ranks(LanguageDistillJob& job, int ranks);

std::string summary(const LanguageDistillJob& job);
/// What is done and how, in one line.
std::string method_line(const LanguageDistillJob& job);
std::vector<std::string> look_into_folders(const LanguageDistillJob& job,
                                           const deck::DeckValues& values);

/// After `use_ranks`. Throws ResourceError where not even one slice of a team fits at a time.
DistillMemory plan_memory(const LanguageDistillJob& job, const run::Machine& machine);

}  // namespace rankine::distill
